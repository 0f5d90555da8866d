using Distill.Pipeline.Graph;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Reporting.Page;
using Distill.Pipeline.Store;
using Distill.Storage;

namespace Distill.Service.Pages.Store;

/// <summary>One artefact: what it is, what it was made from, its files to take away.</summary>
internal static class ArtefactPage
{
    private const int MostFiles = 500;

    public static PageFrame Of(StoreKey key, int version, Artifact artifact, Func<string, string> scrub)
    {
        var origin = ArtifactOrigin.Of(artifact.Manifest);
        string name = origin.Stage ?? key.Kind;
        var files = artifact.Manifest.Files;
        return new($"{name} {key.Digest[..8]}", ServicePaths.Store, Html.Of($"{name}"), Html.Of($"""
            <section><h2>What it is</h2>
            <dl class="facts">
            <dt>what came out</dt><dd>{scrub(FinishedStages.SummaryOf(artifact))}</dd>
            <dt>size</dt><dd>{ReportNumbers.Bytes(files.Sum(file => file.Bytes))} in {PageWords.Count(files.Count, "file", "files")}</dd>
            <dt>digest</dt><dd><code>{artifact.Digest}</code></dd>
            <dt>key</dt><dd><code>{key.Digest}</code>{(version > 1 ? $", version {version}" : "")}</dd>
            <dt>made by</dt><dd>version {artifact.Manifest.StageVersion} of the stage</dd>
            {origin.Inputs.Select(input => Html.Of($"<dt>from {input.Key}</dt><dd>{Parts.Digest(input.Value)}</dd>"))}
            </dl></section>
            {Parts.Section("Files", files.Count > MostFiles ? $"The first {MostFiles} of {files.Count:N0}." : "", Html.Of($"""
                {PageWords.Links(Html.Of($"<a href=\"{ServicePaths.Artefact(key, version)}?as=zip\" download>all as a zip file</a>"))}
                {Parts.Table(["file", "size", "rows", "sha256"], files.Take(MostFiles).Select(file => Row(key, version, file)), "sha256")}
                """))}
            """))
        {
            Eyebrow = Html.Of($"""
                <p class="eyebrow"><a href="/store">store</a> · <a href="/store?kind={ServicePaths.Escaped(key.Kind)}">{key.Kind}</a></p>
                """),
        };
    }

    private static Html Row(StoreKey key, int version, ArtifactFile file) => Parts.Row(
        Html.Of($"<a href=\"{ServicePaths.File(key, version, file.Path)}\" download>{file.Path}</a>"),
        Parts.Cell(ReportNumbers.Bytes(file.Bytes)), Parts.Cell(file.Rows is { } rows ? ReportNumbers.Count(rows) : ""),
        PageWords.Cell(Parts.Digest(file.Sha256)));
}
