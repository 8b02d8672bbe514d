import Foundation
import StrictJSON

/// What a run ran on, for `environment.json`: enough to tell why two runs differ.
func describeEnvironment(ranks: Int, threads: Int, commandLine: [String]) -> JSONValue {
    let process = ProcessInfo.processInfo
    return [
        "command_line": .array(commandLine.map(JSONValue.string)),
        "started": .string(Date.now.ISO8601Format()),
        "host": .string(process.hostName),
        "operating_system": .string(process.operatingSystemVersionString),
        "cpu": .string(processorName()),
        "cpus_allowed": .integer(process.activeProcessorCount),
        "memory_bytes": .integer(Int(clamping: process.physicalMemory)),
        "ranks": .integer(ranks),
        "threads_per_rank": .integer(threads),
        "traits": .array(compiledTraits.map(JSONValue.string)),
        "swift": .string(compilerVersion),
        "kernels": kernelFields(),
    ]
}

/// The package traits that this program was built with.
package let compiledTraits: [String] = {
    var traits: [String] = []
    #if MPI
    traits.append("MPI")
    #endif
    #if OneDNN
    traits.append("OneDNN")
    #endif
    return traits
}()

private let compilerVersion: String = {
    #if compiler(>=6.4)
    "6.4 or newer"
    #elseif compiler(>=6.3)
    "6.3"
    #else
    "6.2"
    #endif
}()

/// The processor's name as Linux tells it.
private func processorName() -> String {
    let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = information.split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces) ?? "unknown"
}
