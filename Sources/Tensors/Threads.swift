import CKernels

/// Threads of the kernels.
package enum KernelThreads {
    /// Sets how many threads kernels, OpenBLAS and oneDNN use in this process.
    package static func set(_ count: Int) {
        precondition(count > 0, "\(count) threads")
        ck_set_threads(Int32(count))
    }

    /// Has kernels that the calling thread starts run on it alone: for work beside that of another thread, which has
    /// the others.
    package static func useOnlyThisThread() { ck_use_only_this_thread() }

    /// How many threads kernels use: as set, else as OpenMP decides (`OMP_NUM_THREADS`, or one a core).
    package static var count: Int { Int(ck_threads()) }
}
