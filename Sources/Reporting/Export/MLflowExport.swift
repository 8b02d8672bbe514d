package import Failures
package import Foundation
import StrictJSON

/// A folder `mlruns/` that MLflow's client reads: one experiment, with a run for each part of the metrics.
///
/// The times of figures are the run's start and the sum of the steps' seconds until then.
///
/// - Parameters:
///   - run: the run; its configuration's keys become parameters.
///   - folder: absolute path of the folder.
///   - start: when the run began.
/// - Returns: the files by their paths in the folder.
package func mlflowFiles(_ run: ReportedRun, folder: String, start: Date) throws(Failure) -> [(
    path: String, text: String
)] {
    let experiment = "1"
    let begin = Int(start.timeIntervalSince1970 * 1000)
    var files: [(path: String, text: String)] = []
    let store = URL(filePath: folder, directoryHint: .notDirectory).absoluteString
    var elapsed = 0.0
    for part in run.metrics.parts {
        let id = UUID().uuidString.replacing("-", with: "").lowercased()
        let base = "\(experiment)/\(id)"
        let partStart = begin + Int(min(elapsed, 1e12) * 1000)
        var names = SafeNames()
        var metrics: [String: [String]] = [:]
        for line in part.lines {
            elapsed += try line.double("seconds", in: 0...1e9)
            let time = begin + Int(min(elapsed, 1e12) * 1000)
            let step = try line.int("step")
            for (name, number) in line.scalars {
                metrics[names.safe(name), default: []].append("\(time) \(number) \(step)\n")
            }
        }
        let title = [part.stage, part.name].filter { !$0.isEmpty }.joined(separator: "/")
        files.append(
            (
                "\(base)/meta.yaml",
                yaml([
                    ("artifact_uri", .string("\(store)/\(base)/artifacts")),
                    ("end_time", .integer(begin + Int(min(elapsed, 1e12) * 1000))), ("entry_point_name", ""),
                    ("experiment_id", .string(experiment)), ("lifecycle_stage", "active"), ("run_id", .string(id)),
                    ("run_name", .string(title)), ("run_uuid", .string(id)), ("source_name", ""), ("source_type", 4),
                    ("source_version", ""), ("start_time", .integer(partStart)), ("status", 3), ("tags", []),
                    ("user_id", ""),
                ])
            )
        )
        for (name, lines) in metrics.sorted(by: { $0.key < $1.key }) {
            files.append(("\(base)/metrics/\(name)", lines.joined()))
        }
        for (key, value) in run.keys.sorted(by: { $0.key < $1.key }) { files.append(("\(base)/params/\(key)", value)) }
        // The client takes no folder for a run that has no artifacts.
        files.append(("\(base)/artifacts/config.yaml", run.configuration))
        files.append(("\(base)/tags/mlflow.runName", title))
        files.append(("\(base)/tags/maxmin.directory", run.directory))
    }
    // By this a later export knows the experiment for its own.
    files.append(("\(experiment)/tags/maxmin.export", run.directory))
    files.append(
        (
            "\(experiment)/meta.yaml",
            yaml([
                ("artifact_location", .string("\(store)/\(experiment)")),
                ("creation_time", .integer(begin)), ("experiment_id", .string(experiment)),
                ("last_update_time", .integer(begin)), ("lifecycle_stage", "active"), ("name", .string(run.name)),
            ])
        )
    )
    return files
}

/// Keys with values in JSON, which YAML takes.
private func yaml(_ members: [(key: String, value: JSONValue)]) -> String {
    members.map { "\($0.key): \($0.value.encoded())\n" }.joined()
}

/// Names of figures as MLflow takes them, which are paths of files: each other one has its own.
private struct SafeNames {
    private var names: [String: String] = [:]
    private var taken: Set<String> = []

    mutating func safe(_ name: String) -> String {
        if let known = names[name] { return known }
        let letters = name.unicodeScalars.map { scalar in
            scalar.isASCII
                && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                    || "_-/ ".unicodeScalars.contains(scalar))
                ? String(scalar) : "_"
        }
        let plain = letters.joined().split(separator: "/").map(String.init).joined(separator: "/")
        var safe = plain.isEmpty ? "_" : plain
        // A name that is the folder of another cannot be a file.
        if taken.contains(where: { safe.hasPrefix($0 + "/") }) { safe = safe.replacing("/", with: "_") }
        while taken.contains(where: { $0 == safe || $0.hasPrefix(safe + "/") }) { safe += "_" }
        taken.insert(safe)
        names[name] = safe
        return safe
    }
}
