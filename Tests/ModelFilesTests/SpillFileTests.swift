import Failures
import Foundation
import Tensors
import TestSupport
import Testing

@testable import ModelFiles

@Suite struct SpillFileTests {
    @Test func tensorsComeBackAsTheyWere() throws {
        let folder = try TemporaryFolder()
        let file = try SpillFile(in: folder.path)
        let tensors = (1...4).map { count in
            let tensor = Tensor(zeros: [count, 3], count % 2 == 0 ? .bfloat16 : .float32)
            tensor.copy(from: Tensor(zeros: [count, 3]))
            tensor.fill(Float(count))
            return tensor
        }
        let places = try tensors.map { try file.append($0) }
        for (tensor, index) in zip(tensors, places).reversed() {
            let read = Tensor(zeros: tensor.shape, tensor.elementType)
            try file.read(index, into: read)
            #expect(read.array() == tensor.array())
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func anotherShapeIsNotWhatWasWritten() throws {
        let folder = try TemporaryFolder()
        let file = try SpillFile(in: folder.path)
        let index = try file.append(Tensor(zeros: [4]))
        _ = try file.append(Tensor(zeros: [4]))
        let failure = #expect(throws: Failure.self) { try file.read(index, into: Tensor(zeros: [5])) }
        #expect(failure?.code == .inputOutput)
    }

    @Test func aMissingFolderIsOneError() {
        let failure = #expect(throws: Failure.self) { try SpillFile(in: "/nowhere/at/all") }
        #expect(failure?.code == .cannotCreate)
    }
}
