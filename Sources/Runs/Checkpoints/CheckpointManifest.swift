import Foundation
package import ModelFiles

/// What a checkpoint holds and what its files must be: `manifest.json`.
package struct CheckpointManifest: Codable, Equatable {
    package static let currentFormat = 1

    /// Elements `start ..< start + count` of a vector, in one of the files.
    package struct Part: Codable, Equatable {
        package let start: Int
        package let count: Int
        package let file: String
    }

    /// A vector: its parts, in order, make all of it.
    package struct Vector: Codable, Equatable {
        package let length: Int
        package var parts: [Part]
    }

    package var format = currentFormat
    /// Which training of the run this is of: `sft`, `reward`, `policy/maxmin`.
    package let training: String
    /// Step boundaries that the training has passed.
    package let step: Int
    /// Bytes of `metrics.jsonl` at that moment.
    package let metricsBytes: Int
    /// What the result depends on (`resultKeys`).
    package let configuration: [String: String]
    package let files: [String: FileSeal]
    package let vectors: [String: Vector]

    package enum CodingKeys: String, CodingKey {
        case format, training, step, configuration, files, vectors
        case metricsBytes = "metrics_bytes"
    }

    /// The name that a part has in its safetensors file.
    package static func tensorName(_ vector: String, from start: Int) -> String { "\(vector)@\(start)" }

    /// The vectors' parts are complete and lie in files of this checkpoint.
    package var isConsistent: Bool {
        vectors.values.allSatisfy { vector in
            var end = 0
            for part in vector.parts {
                guard part.start == end, part.count >= 0, part.count <= vector.length - end, files[part.file] != nil
                else { return false }
                end += part.count
            }
            return end == vector.length
        }
    }
}

/// The commit record, `COMMIT`, written last: what the manifest must be.
///
/// A directory without it is no checkpoint.
package struct CommitRecord: Codable, Equatable {
    package let manifest: FileSeal
}

/// JSON with its keys in a fixed order.
package func encodedJSON(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
}
