import StrictYAML

@testable import Runs

/// The problems of a configuration, one line each; empty where it is right.
func problems(_ yaml: String, overrides: [String] = []) -> [String] {
    do {
        _ = try Configuration(yaml: yaml, file: "run.yaml", overrides: overrides)
        return []
    } catch {
        return error.problems.map(\.description)
    }
}
