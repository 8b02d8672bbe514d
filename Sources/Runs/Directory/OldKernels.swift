import Reporting
import Tensors

/// Says so where OpenBLAS does not know the CPU and runs kernels made for older ones; ranks are equal in this.
func warnOfOldKernels(_ libraries: KernelLibraries = .current, progress: ProgressMeter) {
    guard libraries.hasOldOpenBLASKernels else { return }
    progress.say(
        "warning: OpenBLAS runs its kernels for \(libraries.openBLASKernels), which use neither AVX2 nor AVX-512, though this CPU has "
            + "them: fp32 products are several times slower; install a newer OpenBLAS, or set OPENBLAS_CORETYPE=Haswell"
    )
}
