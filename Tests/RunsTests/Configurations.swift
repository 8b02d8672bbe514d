import Foundation

@testable import Runs

/// The repository's root.
let packageRoot = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// The problems of a configuration, one line each; empty where it is right.
func problems(_ yaml: String, overrides: [String] = []) -> [String] {
    do {
        _ = try Configuration(yaml: yaml, file: "run.yaml", overrides: overrides)
        return []
    } catch {
        return error.problems.map(\.description)
    }
}

/// A directory that is gone when `body` returns.
func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("maxmin-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try body(directory.path)
}
