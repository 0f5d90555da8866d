using System.Text;
using Distill.Architecture;
using Distill.Cli.Models;
using Distill.Data.Publishing.Licences;
using Distill.Data.Sources;
using Distill.Export.Package;
using Distill.Hub;
using Distill.Pipeline.Models;
using Distill.Pipeline.Runs;
using Distill.Storage;
using Distill.Tokenization;

namespace Distill.Cli.Commands.Exporting;

/// <summary>
/// What is exported: a checkpoint, an adapter merged into it where one was given, and what goes along. Weights are read tensor by tensor.
/// Dispose it.
/// </summary>
internal sealed class ExportSource : IDisposable
{
    private readonly Checkpoint checkpoint;
    private readonly PeftAdapter? adapter;
    private readonly CheckpointWeights opened;
    private readonly string checkpointWord;
    private readonly string? adapterWord;
    private readonly RunStudent? run;
    private readonly string? baseLicence, adapterLicence;

    /// <param name="word">A checkpoint's folder, <c>hf://owner/name</c>, or a run.</param>
    /// <param name="adapterWord">An adapter's folder or <c>hf://owner/name</c>; null for none.</param>
    /// <exception cref="UsageException">One of them is none, or the model has no tokenizer.</exception>
    /// <exception cref="InvalidDataException">One of them is broken, or they do not belong together.</exception>
    public ExportSource(string word, string? adapterWord, CommandContext context)
    {
        (checkpointWord, this.adapterWord, Context) = (word, adapterWord, context);
        run = RunStudent.Find(word);
        checkpoint = ModelFolders.OpenCheckpoint(run?.Folder ?? HubAccess.Locate(word, context, PulledModel.Checkpoint));
        string? adapterFolder = adapterWord is null ? null : HubAccess.Locate(adapterWord, context, PulledModel.Adapter);
        if (adapterFolder is not null) RequireAdapter(adapterFolder);
        opened = checkpoint.OpenWeights();
        try
        {
            if (adapterFolder is not null) adapter = PeftAdapter.Open(adapterFolder, checkpoint.Architecture);
            Weights = Stoppable(adapter?.Merge(opened.Weights) ?? opened.Weights, context.Cancellation);
            Tokenizer = adapter?.Tokenizer ?? checkpoint.Tokenizer ?? throw new UsageException(
                $"'{checkpoint.Folder}' has no {TokenizerFiles.TokenizerName}.",
                "An exported model carries its tokenizer; put it into the checkpoint's folder.");
            Companions = CompanionFiles.Read(checkpoint.Folder);
            baseLicence = LicenceOf(checkpoint.Folder, Companions);
            if (run?.Base is { } trained) Companions = Companions.WithTermsOf(CompanionFiles.Read(trained), "base");
            if (adapter is null) return;
            var beside = CompanionFiles.Read(adapter.Folder);
            adapterLicence = LicenceOf(adapter.Folder, beside);
            Companions = (adapter.Tokenizer is null ? Companions : Companions.WithTokenizerOf(beside)).WithTermsOf(beside, "adapter");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What is compared with the export: the checkpoint's own folder.</summary>
    public string Folder => checkpoint.Folder;

    /// <summary>Of the command that exports it: its progress and its clock.</summary>
    public CommandContext Context { get; }

    public bool HasAdapter => adapter is not null;

    public DecoderArchitecture Architecture => Weights.Architecture;

    public WeightSet Weights { get; }

    public TokenizerFiles Tokenizer { get; }

    public CompanionFiles Companions { get; }

    /// <summary>How the model is spoken to.</summary>
    public PromptStyle Prompt => run?.Prompt ?? PromptStyle.Plain;

    /// <summary>What was taken in another way than the files say, and what looks like a mistake.</summary>
    public IEnumerable<string> Warnings => checkpoint.Warnings.Concat(adapter?.Warnings ?? []).Concat(Doubts());

    /// <exception cref="UsageException">What would be written is what is read.</exception>
    /// <param name="others">What else is read.</param>
    public void RequireOther(string place, IEnumerable<string> others)
    {
        foreach (string? read in new[] { checkpoint.Folder, adapter?.Folder }.Concat(others))
            if (read is not null && ExportPlaces.Covers(place, read))
                throw new UsageException(
                    $"'{place}' is what is exported, or a folder around it, and would be replaced.", "Give another folder with --out DIR.");
    }

    /// <param name="title">Of the card; null: what the source is called.</param>
    /// <param name="licence">Null: what the source's card or licence says.</param>
    public PackageDescription Describe(string? title, string? licence)
    {
        var digests = new Dictionary<string, string> { ["checkpoint"] = DigestOf(checkpoint.Folder, DecoderConfigJson.FileName) };
        if (adapter is not null) digests["adapter"] = DigestOf(adapter.Folder, PeftAdapter.ConfigName);
        var description = run?.Describe() ?? new PackageDescription
        {
            Name = ModelFolders.NameOf(checkpoint.Folder), BaseModel = Named, License = baseLicence ?? "other",
        };
        if (adapter is not null)
        {
            description = description with
            {
                Name = ModelFolders.NameOf(adapter.Folder), BaseModel = Named, Adapter = NameOf(adapterWord!, adapter.Folder),
                License = DiffersFrom(description.License) ? "other" : description.License,
            };
        }

        return description with
        {
            Name = title ?? description.Name, Summary = "Exported by `distill export`.", License = licence ?? description.License,
            Prompt = Prompt, Digests = digests,
        };
    }

    /// <summary>Opens another adapter beside what is exported; the caller disposes it.</summary>
    /// <inheritdoc cref="ExportSource(string, string?, CommandContext)" path="/exception"/>
    public PeftAdapter OpenAdapter(string word)
    {
        string folder = HubAccess.Locate(word, Context, PulledModel.Adapter);
        RequireAdapter(folder);
        return PeftAdapter.Open(folder, Architecture);
    }

    public void Dispose()
    {
        adapter?.Dispose();
        opened.Dispose();
    }

    private string Named => run?.Run ?? NameOf(checkpointWord, checkpoint.Folder);

    private bool DiffersFrom(string licence) =>
        adapterLicence is not null && LicenceTable.Normal(adapterLicence) != LicenceTable.Normal(licence);

    private IEnumerable<string> Doubts()
    {
        if (adapter is null) yield break;
        if (adapter.BaseModel is { } said && !string.Equals(LastOf(said), LastOf(Named), StringComparison.OrdinalIgnoreCase))
            yield return $"The adapter says that it was trained on '{said}', and is merged into '{Named}'.";
        string licence = run?.Describe().License ?? baseLicence ?? "other";
        if (DiffersFrom(licence))
            yield return $"The licence of the model is '{licence}', that of the adapter '{adapterLicence}': the card says other, and the "
                + "texts of both go along. Say with --license what holds for the two together.";
    }

    private static string LastOf(string name) => name.TrimEnd('/', '\\').Split('/', '\\')[^1];

    // A card's word, or a text; a text that is not known is a licence too.
    private static string? LicenceOf(string folder, CompanionFiles companions) =>
        DataSetFolder.LicenceOf(folder) ?? companions.Licence ?? (companions.HasLicence ? "other" : null);

    // Looks between two tensors whether anybody waits for the end.
    private static WeightSet Stoppable(WeightSet weights, CancellationToken cancellation) =>
        WeightSet.Streamed(weights.Architecture, spec =>
        {
            cancellation.ThrowIfCancellationRequested();
            return weights[spec.Name];
        });

    private static void RequireAdapter(string folder)
    {
        if (!Directory.Exists(folder)) throw new UsageException($"There is no folder '{folder}'.", "Give the folder of an adapter.");
        if (!PeftAdapter.Announces(folder))
            throw new UsageException(
                $"'{folder}' is not an adapter: it has no {PeftAdapter.ConfigName}.",
                "Give the folder that peft, Unsloth, TRL or axolotl saved, with adapter_config.json and adapter_model.safetensors.");
    }

    // Where a folder lies says nothing to others.
    private static string NameOf(string word, string folder) =>
        HubReference.TryParse(word, out var reference, out _) ? reference.Repository : ModelFolders.NameOf(folder);

    // Of the names and digests of the files that make the model; which shard holds what follows from them.
    private static string DigestOf(string folder, string config)
    {
        var files = Directory.EnumerateFiles(folder, "*.safetensors").Append(Path.Combine(folder, config)).Order(StringComparer.Ordinal);
        string lines = string.Concat(files.Select(file => $"{Path.GetFileName(file)} {FileDigest.OfFile(file)}\n"));
        return FileDigest.Of(Encoding.UTF8.GetBytes(lines));
    }
}
