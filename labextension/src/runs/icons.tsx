/** The icons of the table's tools; they take the colour of the text. */

import React from 'react';

function Icon({ path }: { path: string }): React.JSX.Element {
  return (
    <svg className="tb-Icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden={true}>
      <path d={path} />
    </svg>
  );
}

export const FilterIcon = (): React.JSX.Element => (
  <Icon path="M2 3.500h12M4.500 8h7M6.500 12.500h3" />
);

export const OrderIcon = (): React.JSX.Element => (
  <Icon path="M5 13V3M2.500 5.500 5 3l2.500 2.500M11 3v10M8.500 10.500 11 13l2.500-2.500" />
);

export const ColumnsIcon = (): React.JSX.Element => (
  <Icon path="M2.500 3h11v10h-11zM6.200 3v10M9.800 3v10" />
);

export const MoreIcon = (): React.JSX.Element => <Icon path="M3 8h.01M8 8h.01M13 8h.01" />;

export const CaretIcon = (): React.JSX.Element => (
  <Icon path="m4.500 6.500 3.500 3.500 3.500-3.500" />
);
