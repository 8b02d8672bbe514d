import Failures
import Foundation
import StrictJSON

/// Which file of a sharded model holds each tensor (`model.safetensors.index.json`).
struct ShardIndex {
    private static let maximumShards = 4096

    /// The shard files' names, in order of their first tensor.
    let shards: [String]
    /// The tensors, in their order.
    let names: [String]
    /// The shard of every tensor.
    let shard: [ByteString: String]
    /// What the index says all tensors take together.
    let totalBytes: Int?

    init(path: String) throws(Failure) {
        let fields = try JSONFields(JSONValue(contentsOfFile: path), at: path)
        let map = try fields.fields("weight_map")
        var shards: [String] = []
        var seen: Set<String> = []
        var shard: [ByteString: String] = [:]
        for name in map.object.keys {
            let file = try map.string(name)
            guard Self.isPlainName(file) else {
                throw map.failure(name, "must name a file of the model's own folder, found '\(file)'")
            }
            if seen.insert(file).inserted {
                shards.append(file)
            }
            shard[ByteString(name)] = file
        }
        guard !shards.isEmpty else { throw fields.failure("weight_map", "names no tensor") }
        guard shards.count <= Self.maximumShards else {
            throw fields.failure("weight_map", "names \(shards.count) files, more than \(Self.maximumShards)")
        }
        self.shards = shards
        names = map.object.keys
        self.shard = shard
        totalBytes = try fields.optionalFields("metadata")?.optionalInt("total_size")
    }

    /// No separators, so that no path leaves the folder.
    private static func isPlainName(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".." && name.utf8.count < 256
            && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") || $0 < 0x20 }
    }
}

/// Refuses a file of weights that is a symbolic link to one outside the model's folder.
func checkInside(folder: String, file: String) throws(Failure) {
    let root = URL(literalPath: folder).resolvingSymlinksInPath().path
    let target = URL(literalPath: file).resolvingSymlinksInPath().path
    guard target.hasPrefix(root + "/") else {
        throw Failure(
            .badData,
            "a symbolic link to a file outside the model's folder; --follow-symlinks accepts such links, "
                + "as of a Hub cache (model.follow_symlinks: true in a run)",
            at: file
        )
    }
}
