import Foundation

/// Bytes of this machine that a new program may use: what Linux calls available, within the limits of the control
/// groups that this process is in; nil where the system does not tell.
///
/// `root`: where `/proc` and `/sys` lie.
package func availableMemory(root: String = "") -> Int? {
    var available = kibibytes(of: "MemAvailable", in: "\(root)/proc/meminfo").map { $0 << 10 }
    for group in controlGroups(root: root) {
        guard let limit = number(in: "\(group)/memory.max") ?? number(in: "\(group)/memory.limit_in_bytes"),
            let used = number(in: "\(group)/memory.current") ?? number(in: "\(group)/memory.usage_in_bytes")
        else { continue }
        // Pages of files give way.
        let files = statistic("inactive_file", in: group) + statistic("active_file", in: group)
        let free = max(0, limit - max(0, used - files))
        available = min(available ?? free, free)
    }
    return available
}

/// Largest resident set of this process since the last `forgetPeakMemory`, bytes; 0 where the system does not tell.
package func peakMemory() -> Int { (kibibytes(of: "VmHWM", in: "/proc/self/status") ?? 0) << 10 }

/// Begins to measure the peak anew; without permission it stays that since the start.
package func forgetPeakMemory() {
    guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else { return }
    try? file.write(contentsOf: Data("5".utf8))
    try? file.close()
}

/// Directories of this process's control groups that may limit memory, and those above them.
private func controlGroups(root: String) -> [String] {
    let lines = (try? String(contentsOfFile: "\(root)/proc/self/cgroup", encoding: .utf8))?.split(separator: "\n") ?? []
    return lines.flatMap { line -> [String] in
        let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count == 3, fields[1].isEmpty || fields[1].split(separator: ",").contains("memory") else {
            return []
        }
        let mount = "\(root)/sys/fs/cgroup" + (fields[1].isEmpty ? "" : "/memory")
        let names = fields[2].split(separator: "/").map(String.init).filter { $0 != ".." }
        return (0...names.count).map { ([mount] + names.prefix($0)).joined(separator: "/") }
    }
}

private func kibibytes(of name: String, in file: String) -> Int? {
    let lines = (try? String(contentsOfFile: file, encoding: .utf8))?.split(separator: "\n") ?? []
    // A tab or spaces, as many as the number leaves room for.
    let fields = lines.first { $0.hasPrefix("\(name):") }?.split(whereSeparator: \.isWhitespace)
    return fields?.dropFirst().first.flatMap { Int($0) }
}

private func number(in file: String) -> Int? {
    let text = try? String(contentsOfFile: file, encoding: .utf8)
    // No limit is `max`, or in version 1 a number near 2⁶³.
    return text.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }.flatMap { $0 < 1 << 60 ? $0 : nil }
}

private func statistic(_ name: String, in group: String) -> Int {
    let lines = (try? String(contentsOfFile: "\(group)/memory.stat", encoding: .utf8))?.split(separator: "\n") ?? []
    let line = lines.first { $0.hasPrefix("\(name) ") } ?? lines.first { $0.hasPrefix("total_\(name) ") }
    return line?.split(separator: " ").last.flatMap { Int($0) } ?? 0
}
