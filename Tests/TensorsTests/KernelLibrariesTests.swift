import Testing

@testable import Tensors

/// Kernels for older CPUs than this one are noticed; those that an AVX2 CPU may have are not.
@Test(arguments: [
    ("Nehalem", 4, true), ("Sandybridge", 3, true), ("Nehalem", 1, false), ("Haswell", 4, false), ("Zen", 3, false),
    ("Cooperlake", 4, false), ("ARMV8", 0, false),
])
func oldKernelsAreNoticed(kernels: String, level: Int, areOld: Bool) {
    let libraries = KernelLibraries(
        openBLAS: "0.3.21",
        openBLASKernels: kernels,
        oneDNN: "none",
        oneDNNKernels: "set 0",
        instructions: "x86-64-v\(level)"
    )
    #expect(libraries.hasOldOpenBLASKernels == areOld)
}
