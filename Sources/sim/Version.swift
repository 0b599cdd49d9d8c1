import Experiments
import Foundation

/// What `--version` says.
enum Version {
  /// The program's version, the revision of its figures, and the commit that is checked out around it, if there is one.
  static var text: String {
    let checkout = commit.map { ", in a checkout of \($0.prefix(12))" } ?? ""
    return "\(Revision.program) (figures of revision \(Revision.results)\(checkout))"
  }

  /// The commit that is checked out in the nearest folder above the program that has one.
  private static var commit: String? {
    var folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    while folder.path != "/" {
      folder.deleteLastPathComponent()
      let git = folder.appending(path: ".git")
      guard FileManager.default.fileExists(atPath: git.path) else { continue }
      // A worktree has a file that names the folder.
      let place = line(of: git).flatMap { text in
        text.hasPrefix("gitdir: ") ? URL(filePath: String(text.dropFirst(8)), relativeTo: folder) : nil
      }
      return head(of: place ?? git)
    }
    return nil
  }

  private static func head(of git: URL) -> String? {
    guard let head = line(of: git.appending(path: "HEAD")) else { return nil }
    guard head.hasPrefix("ref: ") else { return head }
    let name = String(head.dropFirst(5))
    let common =
      line(of: git.appending(path: "commondir")).map {
        $0.hasPrefix("/") ? URL(filePath: $0) : git.appending(path: $0)
      } ?? git
    if let hash = line(of: common.appending(path: name)) { return hash }
    let packed = try? String(contentsOf: common.appending(path: "packed-refs"), encoding: .utf8)
    return packed?.split(separator: "\n").first { $0.hasSuffix(" " + name) }?.split(separator: " ").first
      .map(String.init)
  }

  private static func line(of file: URL) -> String? {
    let text = try? String(contentsOf: file, encoding: .utf8)
    return text?.split(separator: "\n").first.map(String.init)
  }
}
