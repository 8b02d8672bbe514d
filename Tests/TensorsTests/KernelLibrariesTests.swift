import Testing

@testable import Tensors

/// Kernels for older CPUs than this one are noticed; those that an AVX2 CPU may have are not.
@Test(arguments: [
    ("Nehalem", CPUClass.avx512, true), ("Sandybridge", .avx2, true), ("Nehalem", .portable, false),
    ("Haswell", .avx512, false), ("Zen", .avx2, false), ("Cooperlake", .avx512BFloat16, false),
    ("ARMV8", .portable, false),
])
func oldKernelsAreNoticed(kernels: String, cpu: CPUClass, areOld: Bool) {
    let libraries = KernelLibraries(
        openBLAS: "0.3.21",
        openBLASKernels: kernels,
        oneDNN: "none",
        oneDNNKernels: "set 0",
        cpuClass: cpu
    )
    #expect(libraries.hasOldOpenBLASKernels == areOld)
}
