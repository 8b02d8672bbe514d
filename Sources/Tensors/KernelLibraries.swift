internal import CKernels

/// The libraries under the kernels, and the CPU features that choose among their kernels: processes that differ in any of these
/// may compute different bits.
public struct KernelLibraries: Equatable, Sendable {
    /// OpenBLAS's version and how it was built.
    public let openBLAS: String
    /// The CPU type whose kernels OpenBLAS runs.
    public let openBLASKernels: String
    /// oneDNN's version; `none` without it.
    public let oneDNN: String
    /// The instruction set whose kernels oneDNN runs, by its own number.
    public let oneDNNKernels: String
    /// The level of x86-64 whose variants our own kernels run.
    public let instructions: String

    /// Of this process.
    public static var current: KernelLibraries {
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
            instructions: "x86-64-v\(ck_instruction_level())"
        )
    }
}
