import Foundation

/// Says something on standard error, in a line.
func warn(_ text: String) { FileHandle.standardError.write(Data("sim: \(text)\n".utf8)) }
