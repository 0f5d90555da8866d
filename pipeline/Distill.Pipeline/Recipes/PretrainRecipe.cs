namespace Distill.Pipeline.Recipes;

/// <summary>A small model from nothing: what <c>distill pretrain</c> runs (<c>kind: pretrain</c>).</summary>
public sealed record PretrainRecipe : Recipe
{
    /// <summary>Folder the finished model is put in, relative to the recipe. Required.</summary>
    public required string Output { get; init; }

    /// <summary>Folder of a checkpoint to start from, relative to the recipe; null starts from random weights. Its shape must be that of <see cref="Architecture"/>.</summary>
    public string? Start { get; init; }

    public required TokenizerSection Tokenizer { get; init; }

    public required ArchitectureSection Architecture { get; init; }

    public required PretrainDataSection Data { get; init; }

    public required PretrainTrainingSection Training { get; init; }

    /// <summary>true: the output is an ONNX model folder; false: a checkpoint. Default false.</summary>
    public bool Export { get; init; }

    internal static PretrainRecipe Bind(SectionReader root, string folder)
    {
        var architecture = ArchitectureSection.Bind(root.Section("architecture"));
        string output = root.Text("output", null);
        var recipe = new PretrainRecipe
        {
            Name = ReadName(root),
            Seed = ReadSeed(root),
            Output = output.Length == 0 ? "" : Path.GetFullPath(output, folder),
            Start = root.Has("start") ? root.Folder("start", "make it with the recipe that the comments name, or leave start out", "config.json") : null,
            Tokenizer = TokenizerSection.Bind(root.Section("tokenizer")),
            Architecture = architecture,
            Data = PretrainDataSection.Bind(root.Section("data")),
            Training = PretrainTrainingSection.Bind(root.Section("training")),
            Export = root.Flag("export", false),
        };
        root.Close();
        return recipe;
    }
}
