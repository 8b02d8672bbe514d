import Failures
import Foundation
import LanguageModels
import StrictJSON
import Tensors

/// The weight files of a model directory and where each tensor is.
struct WeightFiles {
    /// A tensor and the file that holds it.
    struct Place {
        let file: Int
        let tensor: StoredTensor
    }

    let files: [String]
    /// Every tensor that may be a parameter, under the name that parameters have.
    private let places: [(name: String, location: Place)]
    private(set) var warnings: [String] = []

    /// Opens every weight file in turn and checks its header.
    init(directory: String, configuration: ModelConfiguration, followSymlinks: Bool) throws(Failure) {
        let single = directory + "/model.safetensors"
        let indexPath = single + ".index.json"
        let manager = FileManager.default
        let index: ShardIndex?
        let isLink = (try? manager.destinationOfSymbolicLink(atPath: single)) != nil
        // Opening a link that leads nowhere tells why.
        if manager.fileExists(atPath: single) || isLink {
            index = nil
            files = [single]
        } else if manager.fileExists(atPath: indexPath) {
            let found = try ShardIndex(path: indexPath)
            index = found
            files = found.shards.map { "\(directory)/\($0)" }
        } else {
            let hasPickle = manager.fileExists(atPath: directory + "/pytorch_model.bin")
            let hint = hasPickle ? "; pytorch_model.bin is not read: convert it to safetensors" : ""
            throw Failure(.missingInput, "no such file\(hint)", at: single)
        }
        var found: [(name: String, location: Place)] = []
        var seen: Set<ByteString> = []
        var bytes = 0
        for (number, file) in files.enumerated() {
            if !followSymlinks { try checkInside(folder: directory, file: file) }
            for tensor in try SafetensorsFile(path: file).header.tensors {
                if let index {
                    try Self.checkIndexed(tensor, in: file, index: index, indexPath: indexPath)
                }
                seen.insert(ByteString(tensor.name))
                bytes += tensor.bytes.count
                found.append((tensor.name, Place(file: number, tensor: tensor)))
            }
        }
        if let index {
            if let missing = index.names.first(where: { !seen.contains(ByteString($0)) }) {
                throw Failure(.badData, "tensor '\(missing)' is not in the file that the index names", at: indexPath)
            }
            if let total = index.totalBytes, total != bytes {
                warnings.append("\(indexPath): total_size is \(total), but the tensors take \(bytes) bytes")
            }
        }
        places = Self.parameterNames(found, configuration)
    }

    /// Bytes of its tensors by the type in which they are stored.
    var bytesByType: [StoredType: Int] {
        places.reduce(into: [:]) { $0[$1.location.tensor.type, default: 0] += $1.location.tensor.bytes.count }
    }

    /// The place of each entry; nil for those of a head that the files lack.
    ///
    /// - Throws: `Failure(.badData)` naming up to ten tensors that are missing, superfluous or of another shape,
    ///   `Failure(.configuration)` where the embedding has other rows than `vocab_size` says.
    func match(
        _ entries: [Parameters.Entry],
        configuration: ModelConfiguration
    ) throws(Failure) -> [(entry: Parameters.Entry, location: Place?)] {
        let byName = Dictionary(places.map { (ByteString($0.name), $0.location) }) { first, _ in first }
        var faults: [String] = []
        var matched: [(entry: Parameters.Entry, location: Place?)] = []
        for entry in entries {
            let location = byName[ByteString(entry.name)]
            if let location, location.tensor.shape != entry.shape {
                if entry.name == configuration.tokenEmbeddingName, let rows = location.tensor.shape.first,
                    rows != configuration.vocabularySize
                {
                    throw Failure(
                        .configuration,
                        "config.json says vocab_size \(configuration.vocabularySize), but the embedding has \(rows) "
                            + "rows",
                        at: files[location.file]
                    )
                }
                faults.append("'\(entry.name)' is \(location.tensor.shape), expected \(entry.shape)")
            } else if location == nil && !Self.isHead(entry.name) {
                faults.append("'\(entry.name)' is missing")
            }
            matched.append((entry, location))
        }
        let known = Set(entries.map { ByteString($0.name) })
        let kind = configuration.llama?.member.rawValue ?? "gpt2"
        for (name, _) in places where !known.contains(ByteString(name)) && !Self.isUnread(name) {
            faults.append("'\(name)' is no tensor of a \(kind) model of this shape")
        }
        guard faults.isEmpty else {
            let rest = faults.count > 10 ? " and \(faults.count - 10) more" : ""
            throw Failure(
                .badData,
                "tensors do not fit config.json: " + faults.prefix(10).joined(separator: "; ") + rest,
                at: files.count == 1 ? files[0] : files[0] + " and its other shards"
            )
        }
        return matched
    }

    /// Reads the tensors into their places in the flat vector, file by file.
    func read(
        _ matched: [(entry: Parameters.Entry, location: Place?)],
        into parameters: Parameters,
        allowNonFinite: Bool
    ) throws(Failure) {
        for (number, path) in files.enumerated() {
            let file = try SafetensorsFile(path: path)
            for (entry, location) in matched {
                guard let location, location.file == number else { continue }
                guard file.header.tensors.contains(location.tensor) else {
                    throw Failure(.inputOutput, "changed while it was read", at: path)
                }
                let tensor = parameters.values.view(at: entry.offset, shape: entry.shape)
                try file.read(location.tensor, into: tensor)
                if !allowNonFinite { try requireFinite(tensor, location.tensor.name, at: path) }
            }
        }
    }

    /// Reads the tensors, one at a time, and refuses NaN and infinity.
    func check(_ matched: [(entry: Parameters.Entry, location: Place?)], allowNonFinite: Bool) throws(Failure) {
        for (number, path) in files.enumerated() {
            let file = try SafetensorsFile(path: path)
            for (entry, location) in matched {
                guard let location, location.file == number else { continue }
                let tensor = Tensor(zeros: entry.shape)
                try file.read(location.tensor, into: tensor)
                if !allowNonFinite { try requireFinite(tensor, location.tensor.name, at: path) }
            }
        }
    }

    private static func checkIndexed(
        _ tensor: StoredTensor,
        in file: String,
        index: ShardIndex,
        indexPath: String
    ) throws(Failure) {
        guard let shard = index.shard[ByteString(tensor.name)] else {
            throw Failure(.badData, "tensor '\(tensor.name)' is not in the index \(indexPath)", at: file)
        }
        guard file.hasSuffix("/" + shard) else {
            throw Failure(.badData, "tensor '\(tensor.name)' belongs to \(shard) by the index", at: file)
        }
    }

    /// Files of the bare trunk, as the original GPT-2's, lack the prefix; old files hold buffers that are no
    /// parameters: attention masks, and the frequencies of rotary positions.
    private static func parameterNames(
        _ tensors: [(name: String, location: Place)],
        _ configuration: ModelConfiguration
    ) -> [(name: String, location: Place)] {
        let prefix = configuration.trunkPrefix
        let hasPrefix = tensors.contains { $0.name.hasPrefix(prefix) }
        var parameters: [(name: String, location: Place)] = []
        for (name, location) in tensors {
            if [".attn.bias", ".attn.masked_bias", ".rotary_emb.inv_freq"].contains(where: name.hasSuffix) { continue }
            let isTrunk = !hasPrefix && !isUnread(name)
            parameters.append((isTrunk ? prefix + name : name, location))
        }
        return parameters
    }

    /// Tensors of a head, which is new where the files lack it.
    static func isHead(_ name: String) -> Bool {
        name == "score.weight" || name == "value.weight" || name == "value.bias"
    }

    /// Tensors that a model without that head leaves unread; a vocabulary matrix that is tied repeats the embedding.
    private static func isUnread(_ name: String) -> Bool {
        isHead(name) || name == "lm_head.weight"
    }
}

/// Throws `internalError` where a tensor that was read has NaN or infinite values.
func requireFinite(_ tensor: Tensor, _ name: String, at path: String) throws(Failure) {
    let count = nonFiniteCount(tensor)
    guard count == 0 else {
        throw Failure(.internalError, "tensor '\(name)' has \(count) NaN or infinite values", at: path)
    }
}
