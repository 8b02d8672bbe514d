package import Collectives
import Failures
import Foundation
import ModelFiles
package import Optimizers
import StrictJSON
import Tensors

/// A checkpoint, every file of which is as it was written.
package struct Checkpoint: SavedState {
    /// Its directory.
    package let path: String
    package let manifest: CheckpointManifest
    private let records: [[UInt8]]

    /// Reads and checks a checkpoint.
    ///
    /// - Parameter checks: whether to read a file, by its place in the order of names; ranks share the reading.
    /// - Throws: `Failure(.badData)` where it is damaged, incomplete or of a newer program.
    package init(path: String, checks: (Int) -> Bool = { _ in true }) throws {
        self.path = path
        do {
            manifest = try Self.readManifest(path)
            guard manifest.isConsistent else { throw Failure(.badData, "parts are missing or overlap", at: path) }
            for (index, file) in manifest.files.sorted(by: { $0.key < $1.key }).enumerated() where checks(index) {
                // A name with a folder in it would lead elsewhere.
                guard file.key == recordsFile || file.key.wholeMatch(of: /part-[0-9]+\.safetensors/) != nil else {
                    throw Failure(.badData, "names a foreign file: \(file.key)", at: "\(path)/manifest.json")
                }
                try file.value.check("\(path)/\(file.key)")
            }
            records = try readBytes(ofFile: "\(path)/\(recordsFile)").split(separator: UInt8(ascii: "\n")).map(
                Array.init
            )
        } catch let failure as Failure where failure.code == .missingInput {
            throw Failure(.badData, "is missing", at: failure.location)
        }
    }

    private static func readManifest(_ path: String) throws -> CheckpointManifest {
        let commit: CommitRecord = try decode("\(path)/COMMIT")
        let file = "\(path)/manifest.json"
        try commit.manifest.check(file)
        struct Format: Decodable { let format: Int }
        let format: Format = try decode(file)
        guard format.format == CheckpointManifest.currentFormat else {
            throw Failure(
                .badData,
                "has format \(format.format), this program reads \(CheckpointManifest.currentFormat)",
                at: file
            )
        }
        let manifest: CheckpointManifest = try decode(file)
        guard path.hasSuffix("/\(manifest.training)/step-\(manifest.step)") else {
            throw Failure(.badData, "belongs to step \(manifest.step) of \(manifest.training)", at: file)
        }
        guard (0...Int(Int32.max)).contains(manifest.step), manifest.metricsBytes >= 0 else {
            throw Failure(.badData, "has a step or a length out of range", at: file)
        }
        return manifest
    }

    private static func decode<Value: Decodable>(_ file: String) throws -> Value {
        let bytes = try readBytes(ofFile: file)
        do {
            return try JSONDecoder().decode(Value.self, from: Data(bytes))
        } catch {
            throw Failure(.badData, "is not what a checkpoint holds", at: file)
        }
    }

    package func json(of record: String) -> [UInt8]? {
        let prefix = recordPrefix(record)
        return records.first { $0.starts(with: prefix) }.map { Array($0.dropFirst(prefix.count).dropLast()) }
    }

    package func damaged(_ record: String) -> any Error {
        Failure(.badData, "record \(record) is not of this training", at: "\(path)/\(recordsFile)")
    }

    package func fill(_ vectors: [StateVector]) throws {
        // By file, since a vector in many pieces has as many parts in each.
        var reads: [String: [(vector: StateVector, part: CheckpointManifest.Part)]] = [:]
        for vector in vectors {
            guard let stored = manifest.vectors[vector.name], stored.length == vector.length else {
                let found = manifest.vectors[vector.name].map { "has \($0.length) elements" } ?? "is missing"
                throw Failure(.badData, "vector \(vector.name) \(found), not \(vector.length)", at: path)
            }
            for part in stored.parts where vector.range.overlaps(part.start..<part.start + part.count) {
                reads[part.file, default: []].append((vector, part))
            }
        }
        for (name, reads) in reads.sorted(by: { $0.key < $1.key }) {
            let file = try SafetensorsFile(path: "\(path)/\(name)")
            let tensors = Dictionary(file.header.tensors.map { ($0.name, $0) }) { first, _ in first }
            for (vector, part) in reads {
                let tensorName = CheckpointManifest.tensorName(vector.name, from: part.start)
                guard let tensor = tensors[tensorName] else {
                    throw Failure(.badData, "has no tensor \(tensorName)", at: "\(path)/\(name)")
                }
                let range = vector.range.clamped(to: part.start..<part.start + part.count)
                let target = vector.values.view(at: range.lowerBound - vector.start, shape: [range.count])
                try file.read(tensor, from: range.lowerBound - part.start, into: target)
            }
        }
    }
}

/// The newest good checkpoint of a training, the same on every rank; nil where there is none at all.
///
/// Damaged ones are passed over with a warning.
///
/// - Parameter configuration: what the result depends on now; another one is refused.
/// - Throws: `Failure(.badData)` where there are checkpoints and none is good, `Failure(.configuration)` with the keys
///   that differ.
package func newestCheckpoint(
    in folder: CheckpointFolder,
    configuration: [String: String],
    over communicator: any Communicator,
    warn: (String) -> Void
) throws -> Checkpoint? {
    let listed = try communicator.broadcast(agreeing: {
        try folder.removeLeftovers()
        return try encodedJSON(folder.steps())
    })
    let steps = try JSONDecoder().decode([Int].self, from: Data(listed))
    for step in steps.reversed() {
        var found: Checkpoint?
        do {
            try communicator.agree {
                found = try Checkpoint(path: folder.checkpoint(step)) { $0 % communicator.size == communicator.rank }
            }
        } catch let failure as Failure where failure.code == .badData {
            warn("\(failure); going back to the checkpoint before step \(step)")
            continue
        }
        guard let found else { continue }
        try refuseOtherConfiguration(found.manifest.configuration, than: configuration, at: found.path)
        return found
    }
    guard steps.isEmpty else {
        throw Failure(
            .badData,
            "none of the checkpoints can be read; remove the folder to start this part again",
            at: folder.path
        )
    }
    return nil
}
