import Tensors
import Testing

@testable import Optimizers

struct ZeROPartitionTests {
    @Test(arguments: [1, 2, 3, 7, 64]) func everyElementHasOneOwner(ranks: Int) {
        for count in [0, 1, squaresChunk, 10 * squaresChunk + 3, 3 * ZeROPartition.bucketSize + 77] {
            for bucketSize in [1, ZeROPartition.bucketSize] {
                let slices = ZeROPartition(of: count, ranks: ranks, bucketSize: bucketSize)
                let pieces = (0..<ranks).flatMap { slices[$0] }.sorted { $0.lowerBound < $1.lowerBound }
                #expect((pieces.first?.lowerBound ?? 0) == 0 && (pieces.last?.upperBound ?? 0) == count)
                #expect(zip(pieces, pieces.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
                #expect(pieces.allSatisfy { $0.lowerBound % squaresChunk == 0 })
            }
        }
    }

    /// All but the last bucket are dealt evenly.
    @Test(arguments: [2, 3, 5, 16, 100]) func ranksHaveAsMuch(ranks: Int) {
        let slices = ZeROPartition(of: 100 * ZeROPartition.bucketSize, ranks: ranks)
        let bucket = slices.buckets[0].count
        let mean = 100 * ZeROPartition.bucketSize / ranks
        #expect(slices.largest - mean <= bucket / ranks + squaresChunk)
    }

    @Test(arguments: [1, 2, 3, 5]) func numbersOfChunksComeInTheVectorsOrder(ranks: Int) {
        let count = 13 * squaresChunk + 5
        let slices = ZeROPartition(of: count, ranks: ranks, bucketSize: 4 * squaresChunk)
        let ofRanks = (0..<ranks).flatMap { rank in
            slices[rank].flatMap { piece in stride(from: piece.lowerBound, to: piece.upperBound, by: squaresChunk) }
        }
        #expect(slices.inOrder(ofRanks) == Array(stride(from: 0, to: count, by: squaresChunk)))
    }
}

struct TrainingStateTests {
    /// However many pieces a rank has of a vector, it is as large as it is.
    @Test func aVectorInPiecesCountsOnce() {
        let part = Tensor(zeros: [10])
        let state = TrainingState([
            StateVector("a", part: part, from: 0, of: 100), StateVector("a", part: part, from: 50, of: 100),
            StateVector("b", part),
        ])
        #expect(state.vectorBytes == 4 * 110)
    }
}
