import Foundation
import Systems

/// The descriptors that ship with the project, found from this file's place in it.
public let shippedProfiles = ProfileFolder(
  URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Profiles"))

/// A model that ships with the project.
public func shipped(_ model: String) throws -> ModelDescription { try shippedProfiles.model(model) }
