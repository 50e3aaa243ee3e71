// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import Glibc
import Recordings
import Synchronization

/// A file without a name in the folder for temporary files, which only its owner can read, and which is gone when the program has
/// ended, however it does.
final class RecordingScratchFile: RecordingScratch {
    private let folder: String
    private let descriptor = Mutex<CInt>(-1)

    /// Makes no file yet: that is done when there is something to write.
    init(in folder: String = Terminal.environment("TMPDIR") ?? "/tmp") {
        self.folder = folder
    }

    deinit {
        let descriptor = descriptor.withLock(\.self)
        if descriptor >= 0 { close(descriptor) }
    }

    func write(_ octets: [UInt8], at offset: Int) -> String? {
        let descriptor = opened()
        guard descriptor >= 0 else { return failure() }
        var written = 0
        while written < octets.count {
            // The buffer is the array's own storage from `written` on, with what is left of its count.
            let count = unsafe octets.withUnsafeBytes {
                unsafe pwrite(
                    descriptor,
                    $0.baseAddress.map { unsafe $0 + written },
                    $0.count - written,
                    offset + written
                )
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return failure() }
            written += count
        }
        return nil
    }

    func octets(at offset: Int, count: Int) -> [UInt8]? {
        let descriptor = descriptor.withLock(\.self)
        guard descriptor >= 0, count >= 0 else { return nil }
        var octets = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            // The buffer is the array's own storage from `done` on, with what is left of its count.
            let read = unsafe octets.withUnsafeMutableBytes {
                unsafe pread(descriptor, $0.baseAddress.map { unsafe $0 + done }, $0.count - done, offset + done)
            }
            if read < 0, errno == EINTR { continue }
            guard read > 0 else { return nil }
            done += read
        }
        return octets
    }

    /// The file, made at the first call; negative where it cannot be made.
    private func opened() -> CInt {
        descriptor.withLock { descriptor in
            guard descriptor < 0 else { return descriptor }
            var name = Array("\(folder)/wingmirror-XXXXXX".utf8CString)
            // The name is terminated, and the calls change or read it within its bounds only.
            descriptor = unsafe name.withUnsafeMutableBufferPointer { buffer in
                guard let name = buffer.baseAddress else { return -1 }
                let descriptor = unsafe mkstemp(name)
                if descriptor >= 0 { unsafe unlink(name) }
                return descriptor
            }
            return descriptor
        }
    }

    private func failure() -> String {
        "a temporary file in \(folder) cannot be written: \(FileContents.Failure.latest.explained)"
    }
}
