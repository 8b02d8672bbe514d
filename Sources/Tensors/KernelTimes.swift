import CKernels

/// Seconds that a thread spent in kernels, by what they are for; those of element-wise kernels are not counted.
package struct KernelTimes: Equatable, Sendable {
    /// Matrix products, and laying matrices out for them.
    package let products: Double
    /// Attention, forward, backward and in decoding.
    package let attention: Double
    /// Updates of the optimizer and norms of gradients.
    package let optimizer: Double

    /// What the calling thread spent since it last asked.
    package static func take() -> KernelTimes {
        var seconds = Array(repeating: 0.0, count: Int(CK_KINDS))
        unsafe seconds.withUnsafeMutableBufferPointer { unsafe ck_take_times($0.baseAddress) }
        return KernelTimes(
            products: seconds[Int(CK_PRODUCTS)],
            attention: seconds[Int(CK_ATTENTION)],
            optimizer: seconds[Int(CK_OPTIMIZER)]
        )
    }
}
