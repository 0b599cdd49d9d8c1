import CostModels
import Foundation

/// The descriptors that ship with the project, found from this file's place in it.
let shippedProfiles = ProfileFolder(
  URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Profiles"))

/// A model that ships with the project.
func shipped(_ model: String) throws -> ModelDescription { try shippedProfiles.model(model) }
