extension Schema {
  /// The tables of version 6: roles of instances, and KV entries that went from one to another.
  static let tables6 = """
    ALTER TABLE instances ADD COLUMN role TEXT;

    CREATE TABLE transfers (
      run_id INTEGER NOT NULL,
      request_id INTEGER NOT NULL,
      from_instance INTEGER NOT NULL,
      to_instance INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      ready_at REAL NOT NULL,          -- when the first KV entries were ready
      started_at REAL NOT NULL,        -- when there was memory for all of them
      ended_at REAL NOT NULL,          -- when the last were there
      PRIMARY KEY (run_id, request_id)
    ) WITHOUT ROWID;

    CREATE TRIGGER forget_transfers AFTER DELETE ON runs BEGIN
      DELETE FROM transfers WHERE run_id = OLD.run_id;
    END;

    """
}
