import Failures
import StrictJSON

/// Machine, times, memory and configuration.
func runContent(_ run: ReportedRun) throws(Failure) -> String? {
    var html = ""
    let timed = run.stages.filter { $0.seconds != nil }
    if !timed.isEmpty {
        let total = timed.reduce(0) { $0 + ($1.seconds ?? 0) }
        html += table(
            ["stage", "time", "memory of a rank, MiB", "predicted, MiB"],
            timed.map { stage in
                [stage.name, duration(stage.seconds ?? 0), mebibytes(stage.peakBytes), mebibytes(stage.plannedBytes)]
            } + [["all", duration(total), mebibytes(timed.compactMap(\.peakBytes).max()), ""]]
        )
    }
    if let machine = run.environment { html += table(["machine", ""], try rows(of: machine)) }
    html += "<details><summary>Configuration</summary><pre>\(escaped(run.configuration))</pre></details>\n"
    return html
}

private func rows(of machine: JSONFields) throws(Failure) -> [[String]] {
    var rows: [[String]] = []
    func add(_ name: String, _ text: String?) { if let text { rows.append([name, text]) } }
    add("host", try machine.optionalString("host"))
    add("CPU", try machine.optionalString("cpu"))
    add("class of its kernels", try machine.optionalFields("kernels")?.optionalString("cpu_class"))
    add("CPUs allowed", try machine.optionalInt("cpus_allowed").map(String.init))
    add("memory, GiB", try machine.optionalDouble("memory_bytes").map { decimal($0 / 1_073_741_824, 1) })
    add(
        "ranks × threads",
        try machine.optionalInt("ranks").map { ranks throws(Failure) in
            "\(ranks) × \(try machine.optionalInt("threads_per_rank") ?? 1)"
        }
    )
    add("operating system", try machine.optionalString("operating_system"))
    add("last started", try machine.optionalString("started"))
    if let command = try machine.optionalArray("command_line") {
        add("last command", command.compactMap(\.string).joined(separator: " "))
    }
    return rows
}

private func mebibytes(_ bytes: Int?) -> String { bytes.map { String($0 >> 20) } ?? "–" }
