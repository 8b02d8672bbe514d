import Collectives
import Files
import Foundation
import StrictYAML
import Tensors
import Watching

/// One of the things that must be the same on every rank, as one rank has it.
struct RankTrait: Codable, Equatable {
    /// What it is.
    let name: String
    /// What this rank has.
    let value: String
    /// What to do where ranks differ.
    let remedy: String
}

/// Larger files are told apart by their size and by blocks from all over them: training changes every weight, but of a
/// merged adapter's file perhaps neither beginning nor end.
private let hashedWhole = 64 << 20
private let hashedBlocks = 256
private let hashedBlock = 64 << 10

/// Everything that must be the same on every rank for the ranks to compute one run: the program, how it was called, its
/// data, its libraries, and the CPU's features that choose kernels.
///
/// Thread counts may differ: ranks of unequal nodes have unequal shares of CPUs.
func rankTraits(_ configuration: Configuration, _ request: RunRequest, transport: String) -> [RankTrait] {
    let copy = "put the same file on every node"
    let install = "install the same package on every node"
    let arguments = request.commandLine.dropFirst().joined(separator: " ")
    let libraries = KernelLibraries.current
    return [
        RankTrait(name: "the program", value: fingerprint(of: "/proc/self/exe"), remedy: copy),
        RankTrait(name: "the arguments", value: arguments, remedy: "start every rank with the same command"),
        RankTrait(name: "the MPI library", value: transport, remedy: install),
        RankTrait(name: "OpenBLAS", value: libraries.openBLAS, remedy: install),
        RankTrait(name: "oneDNN", value: libraries.oneDNN, remedy: install),
        RankTrait(
            name: "OpenBLAS's kernels",
            value: libraries.openBLASKernels,
            remedy: "set OPENBLAS_CORETYPE to the oldest of these on every node"
        ),
        RankTrait(
            name: "oneDNN's kernels",
            value: libraries.oneDNNKernels,
            remedy: "set ONEDNN_MAX_CPU_ISA to the least of these on every node"
        ),
        RankTrait(
            name: "the CPU's class",
            value: libraries.cpuClass.name,
            remedy: "set ONEDNN_MAX_CPU_ISA to the least of these on every node"
        ),
    ] + inputFiles(configuration).map { RankTrait(name: $0, value: fingerprint(of: $0), remedy: copy) }
}

/// The files that a run reads from outside its directory.
private func inputFiles(_ configuration: Configuration) -> [String] {
    let data = configuration.data
    let files =
        [data.text, data.prompts, data.preferences].compactMap { $0 } + modelFiles(configuration)
        + configuration.simulate.scorerFiles
    return Array(Set(files)).sorted()
}

/// Those of the reference policy, where the configuration names one.
func modelFiles(_ configuration: Configuration) -> [String] {
    guard let folder = configuration.model.path else { return [] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let endings = [".safetensors", ".json", ".jinja"]
    let files = names.filter { name in endings.contains(where: name.hasSuffix) }.map { "\(folder)/\($0)" }
    // A folder without any is a difference where others have some.
    return files + ["\(folder)/config.json"]
}

/// Size and hash of a file's bytes; of a large file, of blocks of it.
func fingerprint(of path: String) -> String {
    guard let file = try? RegularFile(path: path) else { return "missing" }
    let (size, blocks) = (file.size, hashedBlocks - 1)
    let parts =
        size <= hashedWhole
        ? [(0, size)] : (0...blocks).map { ((size - hashedBlock) * $0 / blocks, hashedBlock) }
    let bytes = parts.flatMap { (try? file.bytes(from: $0.0, atMost: $0.1)) ?? [] }
    return "\(size) bytes, hash \(String(hash(of: bytes), radix: 16))"
}

/// Compares what all ranks have; every rank calls it.
///
/// - Throws: `ConfigurationError` on the root, a line for each thing in which ranks differ; the others wait for the end
///   that it brings.
func requireEqualRanks(_ traits: [RankTrait], communicator: any Communicator) throws {
    guard communicator.size > 1 else { return }
    let all = try communicator.allGather(Array(JSONEncoder().encode(traits)))
    if communicator.rank == 0 {
        let ranks = try all.map { try JSONDecoder().decode([RankTrait].self, from: Data($0)) }
        let problems = differences(between: ranks)
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
    }
    try communicator.barrier()
}

/// A line for each thing in which ranks differ, with what each of them has.
func differences(between ranks: [[RankTrait]]) -> [ConfigurationProblem] {
    var seen: Set<String> = []
    return ranks.joined().filter { seen.insert($0.name).inserted }.compactMap { trait in
        var holders: [(value: String, ranks: [Int])] = []
        for (rank, traits) in ranks.enumerated() {
            let value = traits.first { $0.name == trait.name }?.value ?? "missing"
            if let location = holders.firstIndex(where: { $0.value == value }) {
                holders[location].ranks.append(rank)
            } else {
                holders.append((value, [rank]))
            }
        }
        guard holders.count > 1 else { return nil }
        let table = holders.map { "\(named($0.ranks)): \($0.value)" }.joined(separator: "; ")
        return ConfigurationProblem(location: nil, message: "ranks differ in \(trait.name): \(table); \(trait.remedy)")
    }
}
