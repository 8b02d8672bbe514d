import CKernels

/// What a thread's tensors and kernels took besides arithmetic: counts that a budget can hold them to, on any machine.
package struct KernelCounts: Equatable, Sendable {
    /// Storage made for tensors, and memory that kernels asked for.
    package let allocations: Int
    /// Bytes written by copies: of tensors, to the other element type or not, of rows, and into panels.
    package let copiedBytes: Int

    /// What the calling thread took since it last asked.
    package static func take() -> KernelCounts {
        var (allocations, copiedBytes) = (0, 0)
        unsafe ck_take_counts(&allocations, &copiedBytes)
        return KernelCounts(allocations: allocations, copiedBytes: copiedBytes)
    }
}
