package import Collectives

/// How the ranks of a training come from gradients of their own to weights in common.
package enum GradientReduction: Sendable {
    /// Sums in the order of the shard tree, so that their bits do not depend on the number of ranks. A rank receives
    /// the sum of its slice, updates that, and hands on what changed (ZeRO stage 1, arXiv 1910.02054).
    case reproducible
    /// Plain data parallelism, to compare with: sums in the order that `MPI_Allreduce` chooses, other bits at other
    /// numbers of ranks. Every rank receives the whole sum, holds all moments and updates all weights.
    case allReduce

    /// Whether ranks share an update, each doing a slice.
    package func isShared(over communicator: any Communicator) -> Bool {
        self == .reproducible && communicator.size > 1
    }

    /// How ranks share the update of a vector: where they do not, one slice is all of it.
    package func slices(of count: Int, ranks: Int) -> ZeROPartition {
        ZeROPartition(of: count, ranks: self == .reproducible ? ranks : 1)
    }

    /// The elements of a vector that this rank updates, in order.
    package func slice(of count: Int, _ communicator: any Communicator) -> [Range<Int>] {
        slices(of: count, ranks: communicator.size)[isShared(over: communicator) ? communicator.rank : 0]
    }
}
