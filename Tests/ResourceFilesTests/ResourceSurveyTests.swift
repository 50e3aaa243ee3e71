// Wingmirror · Apache-2.0

import Foundation
import JSONSyntax
import ResourceFiles
import Testing

/// What lies in a person's repository besides manifests.
@Suite struct ResourceSurveyTests {
    /// A folder of files that is removed in the end.
    private final class Repository {
        let path: String

        init(_ files: [String: String]) throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "survey-\(UUID().uuidString)")
            path = folder.path()
            for (name, text) in files {
                let file = folder.appending(path: name)
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(),
                    withIntermediateDirectories: true
                )
                try Data(text.utf8).write(to: file)
            }
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func survey() throws -> ResourceSurvey { try ResourceFileLoader().survey([path]) }
    }

    private static let object = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"

    @Test func `charts, kustomizations, patches and other files are passed over and named by kind`() throws {
        let repository = try Repository([
            "base/a.yaml": Self.object, "base/kustomization.yaml": "resources: [a.yaml]\nnamespace: shop\n",
            "overlay/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n",
            "overlay/p.yaml": Self.object, "overlay/ops.yaml": "- {op: remove, path: /spec}\n",
            "chart/Chart.yaml": "name: c\n", "chart/values.yaml": "a: 1\n", "chart/values-prod.yaml": "a: 2\n",
            "chart/templates/t.yaml": "{{- if .Values.a }}\nkind: Service\n{{- end }}\n",
            "chart/templates/quoted.yaml": "kind: Service\nmetadata: {name: \"{{ .Release.Name }}\"}\n",
            "dash.json": "{\"title\": \"x\"}", "notes.yml": "just: text\n",
        ])
        let survey = try repository.survey()
        #expect(survey.objects.count == 1)
        #expect(survey.objects.first?.namespace == "shop")
        #expect(survey.objects.first?.line == 1)
        #expect(survey.unreadable.isEmpty)
        let kinds = Dictionary(grouping: survey.passedOver, by: \.kind).mapValues(\.count)
        #expect(kinds == [.kustomization: 2, .patch: 2, .chart: 3, .template: 2, .other: 2])
        #expect(
            survey.renderings == [
                "helm template \(repository.path)/chart", "kubectl kustomize \(repository.path)/overlay",
            ]
        )
    }

    @Test func `JSON values one behind the other are objects each, with their lines`() throws {
        let first = #"{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}}"#
        let second = "{\n\"apiVersion\": \"v1\",\n\"kind\": \"Service\",\n\"metadata\": {\"name\": \"b\"}\n}"
        let files = ["a.json": "\(first)\n\n\(second)\n\(first)\(second)\n"]
        let survey = try Repository(files).survey()
        #expect(survey.unreadable.isEmpty)
        #expect(survey.objects.map(\.line) == [1, 3, 8, 8])
        #expect(survey.objects.map { $0.value["metadata"]?["name"] } == ["a", "b", "a", "b"])
    }

    @Test func `a file with a mistake is named, and hides no other`() throws {
        let survey = try Repository(["a.yaml": Self.object, "b.yaml": "kind: Service\nmetadata: [\n"]).survey()
        #expect(survey.objects.count == 1)
        #expect(survey.unreadable.map(\.line) == [3])
    }

    @Test func `text that is no YAML is passed over in a folder, and a mistake where its file is named`() throws {
        let repository = try Repository(["a.yaml": Self.object, "notes.yaml": "a:\n\tb: c\n"])
        #expect(try repository.survey().passedOver.map(\.kind) == [.other])
        #expect(try repository.survey().summary == "passed over 1 file without Kubernetes objects")
        let named = try ResourceFileLoader().survey(["\(repository.path)/notes.yaml"])
        #expect(named.passedOver.isEmpty)
        #expect(named.unreadable.map(\.line) == [2])
    }

    @Test func `braces in the text of an object make no template of it`() throws {
        let survey = try Repository([
            "a.yaml": "kind: Rule\nmetadata: {name: a}\nsummary: \"{{ $labels.pod }}\"\n"
        ]).survey()
        #expect(survey.objects.count == 1)
    }

    @Test func `objects in one file have lines of their own`() throws {
        let survey = try Repository(["a.yaml": "\u{FEFF}\(Self.object)---\n\(Self.object)"]).survey()
        #expect(survey.objects.map(\.line) == [1, 5])
    }

    @Test func `a path that does not exist is an error`() {
        #expect(throws: ResourceFileError.self) { try ResourceFileLoader().survey(["/nowhere/at/all"]) }
    }
}
