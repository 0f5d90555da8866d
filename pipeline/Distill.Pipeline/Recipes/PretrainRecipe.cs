namespace Distill.Pipeline.Recipes;

/// <summary>A small model from nothing: what <c>distill pretrain</c> runs (<c>kind: pretrain</c>).</summary>
public sealed record PretrainRecipe : Recipe
{
    /// <summary>Folder the finished model is put in, relative to the recipe. Required.</summary>
    public required string Output { get; init; }

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
