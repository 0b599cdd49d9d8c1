import Foundation
import Support

/// What was published of the settings of measured servers that have prefill and decode apart, `recipes.csv` beside their
/// table.
struct ServerRecipes: Sendable {
  /// The settings of a server; `nil` where nothing is published.
  struct Recipe: Sendable, Hashable {
    /// Most sequences of a step, of each rank that computes prompts.
    var prefillBatch: Int?
    /// Most tokens of such a step.
    var prefillTokens: Int?
    /// Most sequences of each rank that decodes.
    var decodeBatch: Int?
  }

  fileprivate struct Row: Sendable {
    var gpu: String
    var precision: String
    var promptTokens: Int
    var outputTokens: Int
    /// What the server's name has in it; empty for any.
    var layout: String
    /// Requests in flight; `nil` for any number.
    var concurrency: Int?
    var recipe: Recipe
  }

  private let rows: [Row]

  /// Reads the file of a folder; a folder without one knows nothing.
  ///
  /// - Throws: a `UserError` that names the line and the column.
  init(folder: String) throws {
    let path = folder + "/recipes.csv"
    guard let data = FileManager.default.contents(atPath: path) else {
      rows = []
      return
    }
    var table = try CSVReader(Array(data), file: path)
    let names = [
      "gpu", "precision", "isl", "osl", "layout", "concurrency", "prefill_batch", "prefill_tokens",
      "decode_batch",
    ]
    let columns = try names.map { try table.column($0) }
    var rows: [Row] = []
    while try table.next() {
      func number(_ column: Int) throws -> Int? {
        table.text(columns[column]).isEmpty ? nil : try table.integer(columns[column], in: 1...1 << 24)
      }
      rows.append(
        Row(
          gpu: table.text(columns[0]), precision: table.text(columns[1]),
          promptTokens: try table.integer(columns[2], in: 1...1 << 24),
          outputTokens: try table.integer(columns[3], in: 1...1 << 24), layout: table.text(columns[4]),
          concurrency: try number(5),
          recipe: Recipe(
            prefillBatch: try number(6), prefillTokens: try number(7), decodeBatch: try number(8))))
    }
    self.rows = rows
  }

  /// What is published of a server: of rows that fit the later ones count.
  ///
  /// They are of images of 2026.
  func recipe(of server: MeasuredServer) -> Recipe {
    var recipe = Recipe()
    guard server.version.hasPrefix("0.8") else { return recipe }
    for row in rows where row.fits(server) {
      recipe.prefillBatch = row.recipe.prefillBatch ?? recipe.prefillBatch
      recipe.prefillTokens = row.recipe.prefillTokens ?? recipe.prefillTokens
      recipe.decodeBatch = row.recipe.decodeBatch ?? recipe.decodeBatch
    }
    return recipe
  }
}

extension ServerRecipes.Row {
  fileprivate func fits(_ server: MeasuredServer) -> Bool {
    gpu == server.gpu && precision == server.precision && promptTokens == server.promptTokens
      && outputTokens == server.outputTokens && (layout.isEmpty || server.key.contains(layout))
      && (concurrency == nil || concurrency == server.concurrency)
  }
}
