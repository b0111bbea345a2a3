/** What the table asks of the application around it. */

/** Where the user's wishes lead that a table cannot fulfil by itself. */
export interface IRunsHost {
  /** Runs side by side. */
  compare: (store: string, refs: string[]) => void;
  /** One run. */
  open: (store: string, run: string) => void;
  /** The application's menu of what else there is, at a place of the window. */
  menu?: (x: number, y: number) => void;
}
