internal import CKernels

/// Threads of the kernels.
public enum KernelThreads {
    /// Sets how many threads kernels, OpenBLAS and oneDNN use in this process.
    public static func set(_ count: Int) {
        precondition(count > 0, "\(count) threads")
        ck_set_threads(Int32(count))
    }

    /// How many threads kernels use: as set, else as OpenMP decides (`OMP_NUM_THREADS`, or one a core).
    public static var count: Int { Int(ck_threads()) }
}
