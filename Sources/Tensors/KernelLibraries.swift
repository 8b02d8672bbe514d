import CKernels

/// The libraries under the kernels, and the CPU features that choose among their kernels: processes that differ in any
/// of these may compute different bits.
package struct KernelLibraries: Equatable, Sendable {
    /// OpenBLAS's version and how it was built.
    package let openBLAS: String
    /// The CPU type whose kernels OpenBLAS runs.
    package let openBLASKernels: String
    /// oneDNN's version; `none` without it.
    package let oneDNN: String
    /// The instruction set whose kernels oneDNN runs, by its own number.
    package let oneDNNKernels: String
    /// The class of CPU whose variants our own kernels run.
    package let cpuClass: CPUClass

    /// The CPU types whose kernels OpenBLAS has for x86-64 without AVX2.
    private static let withoutAVX2: Set<String> = [
        "katmai", "coppermine", "northwood", "prescott", "banias", "athlon", "opteron", "opteron_sse3", "barcelona",
        "bobcat", "atom",
        "nano", "core2", "penryn", "dunnington", "nehalem", "sandybridge", "bulldozer", "piledriver", "steamroller",
    ]

    /// Whether OpenBLAS runs kernels without AVX2 on a CPU that has it, as an OpenBLAS does that is older than the CPU.
    package var hasOldOpenBLASKernels: Bool {
        cpuClass != .portable && Self.withoutAVX2.contains(openBLASKernels.lowercased())
    }

    /// Of this process.
    package static var current: KernelLibraries {
        var version = [CChar](repeating: 0, count: 32)
        unsafe version.withUnsafeMutableBufferPointer { buffer in
            unsafe ck_onednn_version(buffer.baseAddress, buffer.count)
        }
        let bytes = version.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return KernelLibraries(
            openBLAS: unsafe String(cString: ck_openblas_version()),
            openBLASKernels: unsafe String(cString: ck_openblas_kernels()),
            oneDNN: String(decoding: bytes, as: UTF8.self),
            oneDNNKernels: "set \(String(ck_onednn_kernels(), radix: 16))",
            cpuClass: .current
        )
    }
}
