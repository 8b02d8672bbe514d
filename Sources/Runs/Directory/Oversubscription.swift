import Collectives
import Foundation
import Reporting

/// Says so, once, where ranks and their threads outnumber the CPUs that they may use; every rank calls it.
///
/// `cpus`: how many CPUs this rank has for itself.
func warnIfOversubscribed(
    threads: Int,
    cpus: Double?,
    communicator: any Communicator,
    progress: ProgressMeter
) throws {
    // The share is a sum of fractions, and may come out as 1.9999….
    var load = [cpus.map { Double(threads) / ($0 + 1e-6) } ?? 0]
    try communicator.allReduceMax(&load)
    guard load[0] > 1 else { return }
    let times = (load[0] * 10).rounded() / 10
    progress.say(
        "warning: \(communicator.size) ranks × \(threads) threads are \(times) times as many as the CPUs that they "
            + "may use; start "
            + "fewer ranks, lower run.threads, or bind ranks to more CPUs (mpirun --bind-to none)"
    )
}
