using System.IO.Compression;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Store;
using Distill.Service.Pages.Runs;
using Distill.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Distill.Service.Pages.Store;

/// <summary>What can be asked about the store. Of an artefact, only files come out that its manifest names.</summary>
internal sealed class StoreEndpoints(ServiceView view, StoreView store, RunReader reader)
{
    public void Map(WebApplication application)
    {
        application.MapGet("/store", ShowStoreAsync);
        application.MapGet("/api/store", TellStoreAsync);
        application.MapGet("/artefacts/{kind}/{reference}", context => ShowArtefact(context, isJson: false));
        application.MapGet("/api/artefacts/{kind}/{reference}", context => ShowArtefact(context, isJson: true));
        application.MapGet("/artefacts/{kind}/{reference}/{**file}", SaveFile);
    }

    private async Task ShowStoreAsync(HttpContext context)
    {
        var picture = await store.LookAsync(context.RequestAborted);
        var page = StorePage.Of(picture, RunEndpoints.Word(context, "kind"), RunEndpoints.Number(context, "page"));
        await PageResponse.SendAsync(context, page, view.Now);
    }

    private async Task TellStoreAsync(HttpContext context)
    {
        var picture = await store.LookAsync(context.RequestAborted);
        string? kind = RunEndpoints.Word(context, "kind");
        var items = picture.Items.Where(item => kind is null || item.Artifact.Entry.Kind == kind).ToList();
        var page = Paged<object>.Of(items, RunEndpoints.Number(context, "page"), StorePage.PerPage, item => new
        {
            item.Artifact.Name, item.Artifact.Reference, item.Artifact.Entry.Kind, item.Artifact.Entry.State, item.Artifact.Entry.Bytes,
            item.Artifact.IsPinned, item.KeptBecause, summary = view.Scrubbed(item.Artifact.Summary),
        });
        await PageResponse.JsonAsync(context, new
        {
            at = picture.At, picture.Bytes, picture.FreeBytes, picture.DiskBytes, picture.Kinds, artefacts = page,
        });
    }

    private Task ShowArtefact(HttpContext context, bool isJson)
    {
        if (Open(context) is not var (key, version, artifact)) return PageResponse.NotFoundAsync(context);
        if (!isJson && RunEndpoints.Word(context, "as") == "zip") return SaveAllAsync(context, artifact);
        return !isJson ? PageResponse.SendAsync(context, ArtefactPage.Of(key, version, artifact, view.Scrubbed), view.Now)
            : PageResponse.JsonAsync(context, new
            {
                key.Kind, key = key.Digest, version, artifact.Digest, ArtifactOrigin.Of(artifact.Manifest).Stage,
                summary = view.Scrubbed(FinishedStages.SummaryOf(artifact)), ArtifactOrigin.Of(artifact.Manifest).Inputs,
                files = artifact.Manifest.Files.Select(file => new
                    { file.Path, file.Bytes, file.Rows, file.Sha256, address = ServicePaths.File(key, version, file.Path) }),
            });
    }

    private Task SaveFile(HttpContext context)
    {
        string file = context.GetRouteValue("file") as string ?? "";
        return Open(context) is var (_, _, artifact) && artifact.Manifest.Files.Any(named => named.Path == file)
            ? PageResponse.SaveFileAsync(context, artifact.Folder, file) : PageResponse.NotFoundAsync(context);
    }

    // Written as it is read: a model of many gigabytes takes no memory and no disk. Weights do not get smaller, so nothing is compressed.
    private static async Task SaveAllAsync(HttpContext context, Artifact artifact)
    {
        context.Response.ContentType = "application/zip";
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{artifact.Manifest.Kind}-{artifact.Digest[..8]}.zip\"";
        var ending = context.RequestAborted;
        // The archive writes its few own bytes (heads, directory) without waiting asynchronously.
        if (context.Features.Get<IHttpBodyControlFeature>() is { } body) body.AllowSynchronousIO = true;
        await using var archive = await ZipArchive.CreateAsync(
            context.Response.Body, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null, ending);
        foreach (var file in artifact.Manifest.Files)
        {
            await using var from = File.OpenRead(ContainedPath.Resolve(artifact.Folder, file.Path, "the artefact's manifest"));
            await using var to = await archive.CreateEntry(file.Path, CompressionLevel.NoCompression).OpenAsync(ending);
            await from.CopyToAsync(to, ending);
        }
    }

    private (StoreKey Key, int Version, Artifact Artifact)? Open(HttpContext context)
    {
        string kind = context.GetRouteValue("kind") as string ?? "", reference = context.GetRouteValue("reference") as string ?? "";
        return ServicePaths.Parse(kind, reference) is var (key, version) && reader.Open(key, version) is { } artifact
            ? (key, version, artifact) : null;
    }
}
