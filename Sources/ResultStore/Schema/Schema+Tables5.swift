extension Schema {
  /// The tables of version 5: what each instance did, and what requests found in a prefix cache.
  static let tables5 = """
    ALTER TABLE instances ADD COLUMN completed INTEGER;
    ALTER TABLE instances ADD COLUMN total_input_tokens INTEGER;
    ALTER TABLE instances ADD COLUMN cached_tokens INTEGER;
    ALTER TABLE instances ADD COLUMN total_output_tokens INTEGER;
    ALTER TABLE instances ADD COLUMN busy_s REAL;
    ALTER TABLE instances ADD COLUMN energy_j REAL;
    ALTER TABLE requests ADD COLUMN cached_tokens INTEGER;

    """
}
