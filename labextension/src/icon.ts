/** Our own icon: a notebook, and the line of a metric that rises across it. */

import { LabIcon } from '@jupyterlab/ui-components';

const svgstr = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M7 2h11a2 2 0 0 1 2 2v16a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2v-1.5H4a1 1 0 1 1 0-2h1v-3.5H4a1 1 0 1 1 0-2h1V7.500H4a1 1 0 0 1 0-2h1V4a2 2 0 0 1 2-2zm0 2v16h11V4z"/>
    <path d="M9.700 16.900a1 1 0 0 1-1.400-1.400l2.400-3a1 1 0 0 1 1.300-.2l1.300.9 1.900-3.600a1 1 0 1 1 1.800.9l-2.400 4.500a1 1 0 0 1-1.450.35l-1.500-1.050z"/>
    <circle cx="16.200" cy="8.300" r="1.500"/>
  </g>
</svg>`;

/** The icon of panel, tabs, commands and settings. */
export const trackbookIcon = new LabIcon({ name: 'trackbook:icon', svgstr });
