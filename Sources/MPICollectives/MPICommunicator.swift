#if MPI
import CCollectives
import Collectives
import Foundation

/// The ranks that a launcher started.
///
/// Made by `withMPI`, and of no use after its scope.
///
/// `allReduceSum` is `MPI_Allreduce`'s: the same bits on every rank and in every repetition at the same number of
/// ranks, but other bits at another number. Buffers longer than a C int counts travel in chunks; messages of
/// `allToAllV` must be shorter.
package final class MPICommunicator: Communicator {
    /// This process's number, 0 is the root.
    package let rank: Int
    /// How many ranks there are.
    package let size: Int
    /// How many of them share this node.
    package let ranksOnNode: Int
    /// The MPI library and its version.
    package let transport: String
    /// How many CPUs this rank has for itself: its fair share of those that its affinity mask allows; less than 1 where
    /// ranks outnumber CPUs.
    package let cpus: Double
    /// How many threads this rank should use: as many as it has CPUs, at least 1.
    package let suggestedThreads: Int

    private let world: cc_comm

    /// Initializes MPI.
    init(_ launch: Launch) throws(MPIError) {
        var world = cc_comm(handle: 0)
        try check("MPI_Init") { unsafe cc_init(Int32(launch.ranksOnNode), &world) }
        var (rank, size, ranksOnNode, cpus) = (Int32(0), Int32(0), Int32(0), 0.0)
        try check { unsafe cc_rank(world, &rank) }
        try check { unsafe cc_size(world, &size) }
        try check { unsafe cc_node_share(world, &ranksOnNode, &cpus) }
        self.world = world
        self.rank = Int(rank)
        self.size = Int(size)
        self.ranksOnNode = Int(ranksOnNode)
        self.cpus = cpus
        transport = try unsafe text(capacity: 256) { unsafe cc_library($0.baseAddress, $0.count) }
        // The share is a sum of fractions: two CPUs may come out as 1.9999….
        suggestedThreads = max(1, Int(cpus + 1e-6))
    }

    /// Finalizes MPI: nothing may be called after it.
    func finalize() throws(MPIError) {
        try check { cc_finalize(world) }
    }

    /// Replaces `values` by their sum over all ranks, the same bits on every rank.
    package func allReduceSum(_ values: inout MutableSpan<Float>) throws {
        try unsafe values.withUnsafeMutableBufferPointer { buffer in
            try check("allReduceSum") { unsafe cc_allreduce_sum_f32(world, buffer.baseAddress, buffer.count) }
        }
    }

    /// Replaces `values` by their sum over all ranks, the same bits on every rank.
    package func allReduceSum(_ values: inout [Double]) throws {
        try unsafe values.withUnsafeMutableBufferPointer { buffer in
            try check("allReduceSum") { unsafe cc_allreduce_sum_f64(world, buffer.baseAddress, buffer.count) }
        }
    }

    /// Replaces `values` by their maximum over all ranks.
    package func allReduceMax(_ values: inout [Double]) throws {
        try unsafe values.withUnsafeMutableBufferPointer { buffer in
            try check("allReduceMax") { unsafe cc_allreduce_max_f64(world, buffer.baseAddress, buffer.count) }
        }
    }

    /// Replaces `values` on every rank by the root's.
    package func broadcast(_ values: inout MutableSpan<Float>) throws {
        try unsafe values.withUnsafeMutableBufferPointer { buffer in
            try check("broadcast") {
                unsafe cc_broadcast(world, buffer.baseAddress, buffer.count * MemoryLayout<Float>.stride, 0)
            }
        }
    }

    /// The root's bytes, on every rank; other ranks' argument is ignored.
    package func broadcast(_ bytes: [UInt8]) throws -> [UInt8] {
        try broadcast(bytes, count: counts(bytes.count)[0], from: 0)
    }

    /// Sends and receives all messages at once, by non-blocking point-to-point calls.
    package func allToAllV(
        _ outgoing: Span<Float>,
        _ sends: [Range<Int>],
        into incoming: inout MutableSpan<Float>,
        _ receives: [Range<Int>]
    ) throws {
        precondition(sends.count == size && receives.count == size, "a message to and from every rank")
        precondition(sends[rank].count == receives[rank].count, "a message is as long at both ends")
        precondition((sends + receives).allSatisfy { $0.count <= Int32.max }, "longer than MPI can count")
        precondition(sends.allSatisfy { $0.upperBound <= outgoing.count }, "a message lies within its buffer")
        precondition(receives.allSatisfy { $0.upperBound <= incoming.count }, "a message lies within its buffer")
        let (sendStarts, sendCounts) = (sends.map(\.lowerBound), sends.map(\.count))
        let (receiveStarts, receiveCounts) = (receives.map(\.lowerBound), receives.map(\.count))
        try unsafe outgoing.withUnsafeBufferPointer { source in
            try unsafe incoming.withUnsafeMutableBufferPointer { target in
                try check("allToAllV") {
                    unsafe cc_exchange_f32(
                        world,
                        source.baseAddress,
                        sendStarts,
                        sendCounts,
                        target.baseAddress,
                        receiveStarts,
                        receiveCounts
                    )
                }
            }
        }
    }

    /// Every rank's bytes, in order of rank, on every rank.
    package func allGather(_ bytes: [UInt8]) throws -> [[UInt8]] {
        // One broadcast a rank: MPI_Allgatherv's displacements are C ints, and would bound the total.
        var all: [[UInt8]] = []
        for (root, count) in try counts(bytes.count).enumerated() {
            all.append(try broadcast(bytes, count: count, from: root))
        }
        return all
    }

    /// Waits for all ranks.
    package func barrier() throws {
        try check { cc_barrier(world) }
    }

    /// Ends every rank of the run with this exit code.
    ///
    /// Where another thread is in an MPI call, as one that exchanges gradients early, `MPI_Abort` beside it would break
    /// MPI's rules (`MPI_THREAD_SERIALIZED`): this process then ends by itself, and its launcher ends the others, a
    /// second later.
    package func abort(code: Int32) -> Never {
        callIfNoneIs { _ = cc_abort(world, code) }
        _exit(code)
    }

    private func broadcast(_ bytes: [UInt8], count: Int, from root: Int) throws(MPIError) -> [UInt8] {
        var bytes = rank == root ? bytes : [UInt8](repeating: 0, count: count)
        try unsafe bytes.withUnsafeMutableBufferPointer { buffer throws(MPIError) in
            try check("broadcast") { unsafe cc_broadcast(world, buffer.baseAddress, count, Int32(root)) }
        }
        return bytes
    }

    /// Every rank's `count`, in order of rank.
    private func counts(_ count: Int) throws(MPIError) -> [Int] {
        var counts = [UInt64](repeating: 0, count: size)
        try unsafe counts.withUnsafeMutableBufferPointer { buffer throws(MPIError) in
            try check("allGather") { unsafe cc_allgather_u64(world, UInt64(count), buffer.baseAddress) }
        }
        return counts.map { Int($0) }
    }
}
#endif
