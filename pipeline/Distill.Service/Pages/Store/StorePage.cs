using Distill.Pipeline.Reporting;
using Distill.Pipeline.Reporting.Page;
using Distill.Pipeline.Store;
using Distill.Storage;

namespace Distill.Service.Pages.Store;

/// <summary>The store: how much there is of what, what nobody needs any more, and every artefact.</summary>
internal static class StorePage
{
    public const int PerPage = 50;

    /// <param name="kind">Only artefacts of this kind; null for all.</param>
    public static PageFrame Of(StorePicture picture, string? kind, int page)
    {
        var items = picture.Items.Where(item => kind is null || item.Artifact.Entry.Kind == kind)
            .OrderByDescending(item => item.Artifact.Entry.Bytes).ToList();
        var shown = Paged<Retention>.Of(items, page, PerPage, item => item);
        long unreferenced = picture.Kinds.Sum(one => one.UnreferencedBytes);
        string title = $"The store holds {ReportNumbers.Bytes(picture.Bytes)}; {ReportNumbers.Bytes(picture.FreeBytes)} are free";
        return new("store", ServicePaths.Store, Html.Of($"{title}"), Html.Of($"""
            {PageWords.Live("kinds", Parts.Section("By kind", unreferenced == 0 ? "Everything is used, or was made into something that is."
                : $"{ReportNumbers.Bytes(unreferenced)} are used by no run: 'distill artefacts gc --dry-run' shows what it would remove.",
                Parts.Table(["kind", "artefacts", "size", "pinned", "unreferenced", "of size", "unfinished"], picture.Kinds.Select(Row))))}
            {PageWords.Live("artefacts", Parts.Section(kind is null ? "Artefacts, the largest first" : $"Artefacts of kind {kind}", "",
                shown.All == 0 ? Html.Of($"<p class=\"way\">None.</p>") : Html.Of($"""
                {Parts.Table(["artefact", "kind", "size", "state", "kept because", "what came out"], shown.Items.Select(Item),
                    "kind", "state", "kept because", "what came out")}
                {PageWords.Pages(shown.Number, shown.Pages, number =>
                    $"/store?page={number}{(kind is null ? "" : $"&kind={ServicePaths.Escaped(kind)}")}")}
                """)))}
            <p class="way">Looked through at {PageWords.Second(picture.At)} UTC. <a href="/api/store">JSON</a></p>
            """));
    }

    private static Html Row(StoredKind kind) => Parts.Row(
        PageWords.Link($"/store?kind={ServicePaths.Escaped(kind.Kind)}", kind.Kind),
        Parts.Cell(ReportNumbers.Count(kind.Artefacts)), Parts.Cell(ReportNumbers.Bytes(kind.Bytes)),
        Parts.Cell(ReportNumbers.Count(kind.Pinned)), Parts.Cell(ReportNumbers.Count(kind.Unreferenced)),
        Parts.Cell(ReportNumbers.Bytes(kind.UnreferencedBytes)), Parts.Cell(ReportNumbers.Count(kind.Unfinished)));

    private static Html Item(Retention item)
    {
        var (artefact, entry) = (item.Artifact, item.Artifact.Entry);
        var name = entry.Key is { } key && artefact.IsFinished
            ? PageWords.Link(ServicePaths.Artefact(key, entry.Version), artefact.Name) : Html.Of($"{artefact.Name}");
        string state = entry.State switch
        {
            StoreEntryState.Damaged => "damaged",
            StoreEntryState.Unfinished => "unfinished",
            _ => artefact.IsPinned ? "pinned" : item.IsKept ? "kept" : "unreferenced",
        };
        return Parts.Row(Html.Of($"{name} {Html.If(entry.Key is not null, () => Parts.Digest(entry.Key!.Digest))}"),
            PageWords.Cell(entry.Kind), Parts.Cell(ReportNumbers.Bytes(entry.Bytes)), PageWords.Cell(PageWords.Pill(state)),
            PageWords.Text(item.KeptBecause), PageWords.Text(artefact.Summary));
    }
}
