/// Seconds after which all nodes see what one wrote to a file and closed.
///
/// File systems of one machine, and those that keep caches coherent, show it at once. NFS may show a file as it was 60
/// seconds ago (acregmax); what is not known is taken to be like it.
func lagOfFileSystem(_ type: String) -> Double {
    let coherent = [
        "ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "ramfs", "overlay", "zfs", "f2fs", "bcachefs", "lustre",
        "gpfs",
        "ceph",
    ]
    return coherent.contains(type) ? 3 : 120
}

/// The type of the file system on which a path lies, links resolved, by the text of `/proc/self/mountinfo`: `ext4`,
/// `nfs4`; nil where it does not tell.
func fileSystemType(of path: String, mounts: String) -> String? {
    var found: (point: String, type: String)?
    for line in mounts.split(separator: "\n") {
        // 36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw: before the dash there may be more fields.
        let fields = line.split(separator: " ").map(String.init)
        guard fields.count > 5, let dash = fields[5...].firstIndex(of: "-"), dash + 1 < fields.count else { continue }
        let point = fields[4].replacing("\\040", with: " ")
        let isAbove = point == "/" || path == point || path.hasPrefix(point + "/")
        // Of mounts on one place the last hides the others.
        if isAbove, point.count >= found?.point.count ?? 0 { found = (point, fields[dash + 1]) }
    }
    return found?.type
}
