// The table of runs for anywidget: plain DOM, nothing to load. Texts come ready from Python, which
// also filters and sorts; here is only what a person does.

const STYLE = `
.tb-widget { font: 13px/1.4 system-ui, sans-serif; color: inherit; }
.tb-widget :focus-visible { outline: 2px solid #3b82f6; outline-offset: -2px; }
.tb-widget .tb-bar { display: flex; gap: 8px; align-items: center; margin-bottom: 6px; }
.tb-widget input[type="search"] { flex: 1; min-width: 120px; padding: 4px 8px; color: inherit;
  background: transparent; border: 1px solid rgba(128,128,128,.6); border-radius: 4px;
  font: 12px ui-monospace, monospace; }
.tb-widget button { color: inherit; background: transparent; font: inherit; cursor: pointer;
  border: 1px solid rgba(128,128,128,.6); border-radius: 4px; padding: 3px 10px; }
.tb-widget .tb-problem { color: #e5484d; font-size: 12px; margin-bottom: 4px; }
.tb-widget .tb-problem:empty { display: none; }
.tb-widget .tb-scroll { max-height: 420px; overflow: auto; }
.tb-widget table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 0; }
.tb-widget th, .tb-widget td { padding: 3px 10px; white-space: nowrap; text-align: left;
  border-bottom: 1px solid rgba(128,128,128,.25); }
.tb-widget th { font-weight: 600; }
.tb-widget th button { border: 0; padding: 0; font-weight: 600; }
.tb-widget th button::after { content: ' '; display: inline-block; width: 1em; }
.tb-widget th[aria-sort="ascending"] button::after { content: ' ▲'; }
.tb-widget th[aria-sort="descending"] button::after { content: ' ▼'; }
.tb-widget .tb-right { text-align: right; }
.tb-widget tr.tb-selected { background: rgba(59,130,246,.16); }
.tb-widget .tb-dot { display: inline-block; width: 8px; height: 8px; border-radius: 50%;
  box-sizing: border-box; margin-right: 6px; background: #8a8f98; }
.tb-widget [data-status="finished"] { background: #22a06b; }
.tb-widget [data-status="running"] { background: #3b82f6; }
.tb-widget [data-status="failed"] { background: #e5484d; border-radius: 0; }
.tb-widget [data-status="interrupted"] { background: #d98a00; border-radius: 0; rotate: 45deg; }
.tb-widget [data-status="lost"] { background: none; border: 2px solid #8a8f98; }
`;
const TYPING = 300;

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function called(run) {
  return run.number === null ? run.name : `${run.name} #${run.number}`;
}

function sortKey(column, metric) {
  return column.key !== 'headline' ? column.key : metric && `metrics.${metric}`;
}

/** The one metric that all runs are judged by, else null. */
function judgedBy(rows) {
  const keys = new Set(rows.map(run => run.headline?.key).filter(Boolean));
  return keys.size === 1 ? [...keys][0] : null;
}

function content(column, run) {
  if (column.kind === 'name') {
    const dot = element('span', { className: 'tb-dot', title: run.status });
    dot.dataset.status = run.status;
    dot.setAttribute('role', 'img');
    dot.setAttribute('aria-label', run.status);
    return [dot, called(run)];
  }
  return [(run.cells[column.key] ?? { text: '' }).text];
}

function render({ model, el }) {
  const where = element('input', { type: 'search', placeholder: 'metrics.acc > 0.9' });
  where.spellcheck = false;
  where.setAttribute('aria-label', 'Filter runs');
  const again = element('button', { type: 'button', textContent: 'Refresh' });
  const count = element('span');
  count.setAttribute('role', 'status');
  const problem = element('div', { className: 'tb-problem' });
  problem.setAttribute('role', 'alert');
  const scroll = element('div', { className: 'tb-scroll' });
  scroll.tabIndex = 0;
  scroll.setAttribute('role', 'region');
  scroll.setAttribute('aria-label', 'Runs');
  el.append(
    element(
      'div',
      { className: 'tb-widget' },
      element('style', { textContent: STYLE }),
      element('div', { className: 'tb-bar' }, where, count, again),
      problem,
      scroll
    )
  );

  function set(name, value) {
    model.set(name, value);
    model.save_changes();
  }

  function toggle(id, on) {
    const others = model.get('selected').filter(other => other !== id);
    set('selected', on ? [...others, id] : others);
  }

  function row(columns, run) {
    const box = element('input', { type: 'checkbox' });
    box.setAttribute('aria-label', `Select ${called(run)}`);
    box.addEventListener('change', () => toggle(run.id, box.checked));
    const line = element('tr', {}, element('td', {}, box));
    line.dataset.runId = run.id;
    for (const column of columns) {
      const className = column.align === 'right' ? 'tb-right' : '';
      line.append(element('td', { className }, ...content(column, run)));
    }
    return line;
  }

  function head(column, metric) {
    const key = sortKey(column, metric);
    const title = column.key === 'headline' && metric ? metric : column.title;
    const cell = element('th', { className: column.align === 'right' ? 'tb-right' : '' });
    cell.scope = 'col';
    if (!key) {
      cell.append(title);
      return cell;
    }
    const sort = model.get('sort');
    const now = sort === key ? 'ascending' : sort === `-${key}` ? 'descending' : 'none';
    cell.setAttribute('aria-sort', now);
    const button = element('button', { type: 'button', textContent: title });
    button.dataset.sort = key;
    // Numbers are best read falling first.
    const first = column.align === 'right' || column.kind === 'time' ? `-${key}` : key;
    const other = first === key ? `-${key}` : key;
    button.addEventListener('click', () => set('sort', sort === first ? other : first));
    cell.append(button);
    return cell;
  }

  function paint() {
    const { columns = [], rows = [], total = 0 } = model.get('table');
    const metric = judgedBy(rows);
    // Where all are judged by one metric, its own column would say the same again.
    const shown = columns.filter(column => !metric || column.key !== `metrics.${metric}`);
    const focused = scroll.contains(document.activeElement) ? document.activeElement : null;
    const corner = element('td');
    const heads = shown.map(column => head(column, metric));
    const parts = [
      element(
        'table',
        {},
        element('thead', {}, element('tr', {}, corner, ...heads)),
        element('tbody', {}, ...rows.map(run => row(shown, run)))
      )
    ];
    if (rows.length < total) {
      const left = `Show more: ${total - rows.length} are left`;
      const more = element('button', { type: 'button', textContent: left });
      more.addEventListener('click', () => model.send({ kind: 'more' }));
      parts.push(more);
    }
    const sorted = focused?.dataset.sort;
    const ticked = focused?.closest('tr')?.dataset.runId;
    scroll.replaceChildren(...parts);
    tick();
    if (sorted) {
      scroll.querySelector(`[data-sort="${CSS.escape(sorted)}"]`)?.focus();
    } else if (ticked) {
      scroll.querySelector(`[data-run-id="${CSS.escape(ticked)}"] input`)?.focus();
    }
  }

  function tick() {
    const selected = new Set(model.get('selected'));
    for (const line of scroll.querySelectorAll('tr[data-run-id]')) {
      const on = selected.has(line.dataset.runId);
      line.className = on ? 'tb-selected' : '';
      line.querySelector('input').checked = on;
    }
    const { total = 0 } = model.get('table');
    const runs = total === 1 ? '1 run' : `${total} runs`;
    count.textContent = selected.size ? `${runs}, ${selected.size} selected` : runs;
  }

  function tell() {
    if (where !== document.activeElement) {
      where.value = model.get('where');
    }
    problem.textContent = model.get('problem');
    where.setAttribute('aria-invalid', String(model.get('problem') !== ''));
  }

  let timer;
  where.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => set('where', where.value.trim()), TYPING);
  });
  again.addEventListener('click', () => model.send({ kind: 'refresh' }));
  const listeners = [
    ['change:table', paint],
    ['change:sort', paint],
    ['change:selected', tick],
    ['change:where', tell],
    ['change:problem', tell]
  ];
  for (const [name, listener] of listeners) {
    model.on(name, listener);
  }
  tell();
  paint();
  return () => {
    clearTimeout(timer);
    listeners.forEach(([name, listener]) => model.off(name, listener));
  };
}

export default { render };
