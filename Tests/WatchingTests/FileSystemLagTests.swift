import Testing

@testable import Watching

@Suite struct FileSystemLagTests {
    private let mounts = #"""
        22 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda1 rw
        30 22 0:25 / /scratch rw shared:3 - lustre mgs:/scratch rw
        41 22 0:41 / /home rw,relatime - autofs systemd-1 rw
        42 41 0:42 / /home rw,relatime shared:9 - nfs4 server:/home rw,acregmax=60
        43 22 0:43 / /mnt/two\040words rw - fuse.sshfs host: rw
        broken line
        """#

    @Test(arguments: [
        ("/var/run/x", "ext4"), ("/", "ext4"), ("/scratch/run/watchdog", "lustre"), ("/home/me/run", "nfs4"),
        ("/home", "nfs4"), ("/homework", "ext4"), ("/mnt/two words/run", "fuse.sshfs"),
    ])
    func theMountAboveAPathTells(path: String, type: String) {
        #expect(fileSystemType(of: path, mounts: mounts) == type)
    }

    @Test func whatIsNotKnownIsLikeNFS() {
        #expect(fileSystemType(of: "/x", mounts: "") == nil)
        #expect(lagOfFileSystem("ext4") == 3 && lagOfFileSystem("lustre") == 3)
        #expect(lagOfFileSystem("nfs4") > 60 && lagOfFileSystem("nfs") > 60 && lagOfFileSystem("") > 60)
    }
}
