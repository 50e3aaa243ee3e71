// Wingmirror · Apache-2.0

import Foundation
import TestSupport
import Testing

/// Links and pictures of the pages that people read, followed as a repository browser follows them.
@Suite struct LinkTests {
    @Test func `README, CHANGELOG, SECURITY and the documentation are among the pages`() {
        #expect(
            Set(["README.md", "CHANGELOG.md", "SECURITY.md", "dashboards/README.md"]).isSubset(of: Repository.pages)
        )
        #expect(Repository.documentationPages.count > 30)
    }

    @Test(arguments: Repository.pages)
    func `every link and picture leads to a file, a folder or a heading`(path: String) throws {
        let page = MarkdownPage(try Repository.text(of: path))
        for reference in page.references where !reference.target.hasPrefix("https://") {
            #expect(try Self.leadsSomewhere(reference, from: path, page), "\(reference.target)")
        }
    }

    @Test(arguments: Repository.documentationPages)
    func `a page of the documentation has nothing that only DocC understands`(path: String) throws {
        let prose = MarkdownPage(try Repository.text(of: path)).prose
        #expect(!prose.contains("<doc:"))
        #expect(!prose.contains(/(?m)^ *@[A-Z]\w+/), "a directive")
    }

    @Test(arguments: Repository.documentationPages)
    func `a page of the documentation leads to other pages by path, and to pictures beside it`(path: String) throws {
        let catalogue = Repository.documentation.path
        let folder = Repository.root.appending(path: path).deletingLastPathComponent()
        for reference in MarkdownPage(try Repository.text(of: path)).references
        where !reference.target.hasPrefix("https://") && !reference.target.hasPrefix("#") {
            if reference.isPicture {
                #expect(!reference.target.contains("/"), "DocC knows pictures by their names: \(reference.target)")
            } else {
                let file = reference.target.prefix { $0 != "#" }
                let target = folder.appending(path: String(file)).standardizedFileURL.path
                #expect(target.hasPrefix(catalogue) && target.hasSuffix(".md"), "\(reference.target)")
            }
        }
    }

    @Test(
        .enabled(if: ExternalProgram("docc").exists, "no docc: it is part of a Swift toolchain"),
        .timeLimit(.minutes(20))
    )
    func `DocC makes a site of the documentation without a warning`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "wingmirror-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let make = try await ExternalProgram("make")
            .run(["docs", "DOCUMENTATION_SITE=\(folder.path)"], in: Repository.root)
        #expect(make.status == 0, "\(make.text)")
        let contents = folder.appending(path: "site/data/documentation/wingmirror.json")
        #expect(try String(contentsOf: contents, encoding: .utf8).contains("FirstHour"))
    }

    // MARK: Runbooks

    @Test func `every runbook_url leads to a page that Prometheus serves`() throws {
        let addresses = try YAMLScalars.values(
            of: "runbook_url",
            in: try Repository.text(of: "dashboards/rules/alerts.yml")
        )
        #expect(addresses.count > 15)
        for address in addresses {
            let path = try #require(address.wholeMatch(of: /\{\{ \$externalURL \}\}\/user\/(.+)/)).output.1
            let file = Repository.documentation.appending(path: String(path)).path
            #expect(FileManager.default.fileExists(atPath: file), "\(address)")
        }
    }

    @Test(arguments: ["samples/prometheus.yml", "samples/prometheus-3.yml", "dashboards/README.md"])
    func `Prometheus is started with the folder that runbook_url needs`(path: String) throws {
        let folders = try Repository.text(of: path).matches(of: /--web.user-assets=([^\s`]+)/)
        #expect(!folders.isEmpty)
        for folder in folders {
            let url = Repository.root.appending(path: String(folder.output.1)).standardizedFileURL
            #expect(url.path == Repository.documentation.path)
        }
    }

    private static func leadsSomewhere(
        _ reference: MarkdownPage.Reference,
        from path: String,
        _ page: MarkdownPage
    ) throws -> Bool {
        let parts = reference.target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let anchor = parts.count > 1 ? String(parts[1]) : nil
        guard let file = parts.first, !file.isEmpty else { return anchor.map(page.anchors.contains) ?? false }
        let target = Repository.root.appending(path: path).deletingLastPathComponent()
            .appending(path: String(file)).standardizedFileURL
        guard target.path.hasPrefix(Repository.root.path), FileManager.default.fileExists(atPath: target.path) else {
            return false
        }
        guard let anchor else { return true }
        return MarkdownPage(try String(contentsOf: target, encoding: .utf8)).anchors.contains(anchor)
    }
}
