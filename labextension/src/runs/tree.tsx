/** The experiments as a tree of folders. */

import React, { useMemo, useState } from 'react';

import { useTrans } from '../locale';
import type { IState, RunsModel } from '../model';
import type { IFolder } from './folders';
import { foldersOf } from './folders';

/** The tree; a press narrows the table to a folder. */
export function Tree(props: {
  model: RunsModel;
  state: IState;
  onChosen?: () => void;
}): React.JSX.Element {
  const trans = useTrans();
  const { model, state, onChosen } = props;
  const folders = useMemo(() => foldersOf(state.held), [state.held]);
  const choose = (folder: string): void => {
    model.narrow({ folder });
    onChosen?.();
  };
  return (
    <div
      className="tb-Tree"
      role="tree"
      aria-label={trans.__('Experiments')}
      onKeyDown={event => {
        const items = [...event.currentTarget.querySelectorAll<HTMLElement>('[role=treeitem]')];
        const at = items.indexOf(document.activeElement as HTMLElement);
        const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
        if (by !== 0) {
          items[Math.max(0, Math.min(items.length - 1, at + by))]?.focus();
          event.preventDefault();
        }
      }}
    >
      <Item
        folder={{
          path: '',
          name: trans.__('All experiments'),
          count: state.held.length,
          folders: []
        }}
        level={1}
        chosen={state.folder}
        onChoose={choose}
      />
      {folders.map(folder => (
        <Item
          key={folder.path}
          folder={folder}
          level={1}
          chosen={state.folder}
          onChoose={choose}
        />
      ))}
    </div>
  );
}

interface IItemProps {
  folder: IFolder;
  level: number;
  chosen: string;
  onChoose: (path: string) => void;
}

function Item({ folder, level, chosen, onChoose }: IItemProps): React.JSX.Element {
  const [open, setOpen] = useState(true);
  const below = folder.folders.length > 0;
  const selected = folder.path === chosen;
  return (
    <>
      <div
        className="tb-Tree-item"
        role="treeitem"
        aria-level={level}
        aria-selected={selected}
        aria-expanded={below ? open : undefined}
        tabIndex={selected ? 0 : -1}
        title={folder.path}
        style={{ paddingInlineStart: 4 + (level - 1) * 14 }}
        onClick={() => onChoose(folder.path)}
        onKeyDown={event => {
          if (event.key === 'Enter' || event.key === ' ') {
            event.preventDefault();
            onChoose(folder.path);
          } else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
            setOpen(event.key === 'ArrowRight');
          }
        }}
      >
        <span
          className="tb-Tree-fold"
          aria-hidden={true}
          onClick={event => {
            event.stopPropagation();
            setOpen(!open);
          }}
        >
          {below ? (open ? '▾' : '▸') : ''}
        </span>
        <span className="tb-Tree-name">{folder.name}</span>
        <span className="tb-Tree-count">{folder.count}</span>
      </div>
      {below &&
        open &&
        folder.folders.map(one => (
          <Item
            key={one.path}
            folder={one}
            level={level + 1}
            chosen={chosen}
            onChoose={onChoose}
          />
        ))}
    </>
  );
}
