#if MPI
internal import CCollectives

/// An MPI call that failed.
public struct MPIError: Error, Equatable, CustomStringConvertible {
    /// MPI's own code.
    public let code: Int32
    /// The collective in which it happened.
    public let call: String
    /// MPI's description of the code.
    public let text: String
    /// One line.
    public var description: String { "MPI failed in \(call): \(text) (code \(code))" }
}

/// Makes an MPI call: the only way to one, so that no code is ever ignored.
func check(_ call: String = #function, _ body: () -> Int32) throws(MPIError) {
    let code = body()
    guard code != 0 else { return }
    var text = [CChar](repeating: 0, count: 512)
    unsafe text.withUnsafeMutableBufferPointer { buffer in
        unsafe cc_error_text(code, buffer.baseAddress, buffer.count)
    }
    let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    throw MPIError(code: code, call: call, text: String(decoding: bytes, as: UTF8.self))
}
#endif
