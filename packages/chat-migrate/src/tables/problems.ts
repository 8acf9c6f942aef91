/** Codes that only the readers of tables report. */
export type TableProblemCode =
  /** A row without the column that places it. */
  | 'missing_column'
  /** Several rows of one slot are active: the newest stays so. */
  | 'several_active'
  /** A provider session that another thread already goes on in. */
  | 'shared_session'
  /** An answer that was not finished when the table was exported. */
  | 'unfinished';
