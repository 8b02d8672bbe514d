internal import Foundation
internal import ModelFiles

/// What a checkpoint holds and what its files must be: `manifest.json`.
struct CheckpointManifest: Codable, Equatable {
    static let currentFormat = 1

    /// Elements `start ..< start + count` of a vector, in one of the files.
    struct Part: Codable, Equatable {
        let start: Int
        let count: Int
        let file: String
    }

    /// A vector: its parts, in order, make all of it.
    struct Vector: Codable, Equatable {
        let length: Int
        var parts: [Part]
    }

    var format = currentFormat
    /// Which training of the run this is of: `sft`, `reward`, `policy/maxmin`.
    let training: String
    /// Step boundaries that the training has passed.
    let step: Int
    /// Bytes of `metrics.jsonl` at that moment.
    let metricsBytes: Int
    /// What the result depends on (`resultKeys`).
    let configuration: [String: String]
    let files: [String: FileSeal]
    let vectors: [String: Vector]

    enum CodingKeys: String, CodingKey {
        case format, training, step, configuration, files, vectors
        case metricsBytes = "metrics_bytes"
    }

    /// The name that a part has in its safetensors file.
    static func tensorName(_ vector: String, from start: Int) -> String { "\(vector)@\(start)" }

    /// The vectors' parts are complete and lie in files of this checkpoint.
    var isConsistent: Bool {
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
struct CommitRecord: Codable, Equatable {
    let manifest: FileSeal
}

/// JSON with its keys in a fixed order.
func encodedJSON(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
}
