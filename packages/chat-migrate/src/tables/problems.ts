/** What the readers of tables report besides what every reader does. */
export type TableProblemCode =
  /** A row without a column that says where it belongs. */
  | 'missing_column'
  /** Several rows of one slot are active: the newest stays so. */
  | 'several_active'
  /** A provider session that another thread already goes on in. */
  | 'shared_session'
  /** An answer that was not finished when the table was exported. */
  | 'unfinished';
