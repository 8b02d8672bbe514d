import Failures
import Files
import Foundation
import Tensors

extension RegularFile {
    /// The whole file in memory, read as it is touched.
    func map() throws(Failure) -> MappedFile {
        guard let mapped = MappedFile(descriptor: descriptor, bytes: size) else {
            throw Failure(.inputOutput, "cannot be mapped: \(errorText(errno))", at: path)
        }
        return mapped
    }
}
