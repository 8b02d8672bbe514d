package import Collectives
package import Failures
import Foundation
package import ModelFiles

/// A file that a stage, or a part of one, left, and what it must still be.
private struct SealedFile: Codable {
    package let path: String
    package let maker: String
    package let seal: FileSeal
}

/// Refuses a run whose stages would go on from results that were changed since an earlier stage wrote them.
///
/// Every rank calls it, before anything is cleared; ranks share the reading.
///
/// - Parameter resume: whether finished parts of an open stage are kept, and so must be as they were too.
/// - Throws: `Failure` 65 naming the file, 66 where it is gone; the same on every rank.
package func requireUnchanged(
    before open: [Stage],
    resume: Bool,
    in directory: RunDirectory,
    over communicator: any Communicator
) throws {
    let listed = try communicator.broadcast(agreeing: {
        guard let first = open.map(\.position).min() else { return try encodedJSON([SealedFile]()) }
        var sealed: [SealedFile] = []
        func add(_ note: CompletionNote, of maker: String) {
            sealed += note.files.sorted { $0.key < $1.key }.map {
                SealedFile(path: directory.file($0.key), maker: maker, seal: $0.value)
            }
        }
        for stage in Stage.allCases where stage.position < first && directory.isComplete(stage) {
            try add(directory.completion(of: stage), of: "the stage \(stage.rawValue)")
        }
        for training in resume ? directory.trainings.filter(directory.isFinished) : [] {
            try add(directory.completion(of: training), of: training)
        }
        return try encodedJSON(sealed)
    })
    let sealed = try JSONDecoder().decode([SealedFile].self, from: Data(listed))
    try communicator.agree {
        for (index, file) in sealed.enumerated() where index % communicator.size == communicator.rank {
            try requireSeal(file.seal, of: file.path, by: file.maker)
        }
    }
}

/// Refuses a run whose report would draw metrics that were changed since the stage that they end with.
package func requireUnchangedMetrics(in directory: RunDirectory) throws(Failure) {
    let path = directory.file("metrics.jsonl")
    for stage in Stage.allCases where directory.isComplete(stage) {
        let seal = try directory.completion(of: stage).metrics
        guard try FileSeal(reading: path, upTo: seal.bytes) == seal else {
            throw changed(
                path,
                "its first \(seal.bytes) bytes are not as they were written",
                by: "the stage \(stage.rawValue)"
            )
        }
    }
}

private func requireSeal(_ seal: FileSeal, of path: String, by maker: String) throws(Failure) {
    do {
        try seal.check(path)
    } catch {
        guard error.code == .badData || error.code == .missingInput else { throw error }
        throw changed(path, error.message, by: maker, error.code)
    }
}

private func changed(_ path: String, _ reason: String, by maker: String, _ code: ExitCode = .badData) -> Failure {
    Failure(code, "\(reason); put back what \(maker) wrote, or do that again with --overwrite", at: path)
}

extension RunDirectory {
    /// The seals of all files that there are of some outputs, by their paths in the run directory.
    package func seals(of outputs: [String]) throws(Failure) -> [String: FileSeal] {
        var seals: [String: FileSeal] = [:]
        for output in outputs where FileManager.default.fileExists(atPath: file(output)) {
            // Of a file: none.
            let inside = FileManager.default.subpaths(atPath: file(output)) ?? []
            let files = inside.isEmpty ? [output] : inside.map { "\(output)/\($0)" }
            // A model's card is for people, and a later stage writes what it found into it.
            for name in files where !name.hasSuffix("/README.md") {
                let attributes = try? FileManager.default.attributesOfItem(atPath: file(name))
                guard attributes?[.type] as? FileAttributeType == .typeRegular else { continue }
                seals[name] = try FileSeal(reading: file(name))
            }
        }
        return seals
    }
}
