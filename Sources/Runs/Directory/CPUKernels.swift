import Reporting
package import StrictJSON
package import Tensors

/// The class of this CPU, what multiplies there, and what bf16 costs: a line for people.
package func describeKernels(_ libraries: KernelLibraries = .current) -> String {
    let openBLAS = "OpenBLAS's \(libraries.openBLASKernels) kernels"
    let products =
        CPUClass.multipliesBFloat16
        ? "bf16 products on its bf16 instructions by oneDNN \(libraries.oneDNN), fp32 products by \(openBLAS), at "
            + "about half the speed"
        : "no bf16 instructions in use: bf16 and fp16 weights stay as stored, and products run in fp32 by "
            + "\(openBLAS), within a tenth of "
            + "fp32's speed"
    return "CPU class \(libraries.cpuClass.name): \(products)"
}

/// The same for `environment.json`.
package func kernelFields(_ libraries: KernelLibraries = .current) -> JSONValue {
    [
        "cpu_class": .string(libraries.cpuClass.name),
        "bf16_products": .string(CPUClass.multipliesBFloat16 ? "bf16 instructions" : "converted to fp32"),
        "openblas": .string(libraries.openBLAS),
        "openblas_kernels": .string(libraries.openBLASKernels),
        "onednn": .string(libraries.oneDNN),
        "onednn_kernels": .string(libraries.oneDNNKernels),
    ]
}

/// Says so where OpenBLAS does not know the CPU and runs kernels made for older ones; ranks are equal in this.
func warnOfOldKernels(_ libraries: KernelLibraries = .current, progress: ProgressMeter) {
    guard libraries.hasOldOpenBLASKernels else { return }
    progress.say(
        "warning: OpenBLAS runs its kernels for \(libraries.openBLASKernels), which use neither AVX2 nor AVX-512, "
            + "though this CPU has "
            + "them: fp32 products are several times slower; install a newer OpenBLAS, or set OPENBLAS_CORETYPE=Haswell"
    )
}
