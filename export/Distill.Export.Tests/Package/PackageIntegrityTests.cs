using Distill.Export.Package;
using Distill.Export.Tests.Support;

namespace Distill.Export.Tests.Package;

public sealed class PackageIntegrityTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public PackageIntegrityTests() => ModelPackage.Write(
        folder.Path, TinyModels.Weights(TinyModels.Qwen3), TinyModels.Tokenizer(TinyModels.Qwen3.VocabularySize),
        new PackageDescription { Name = "tiny" });

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_folder_as_it_was_exported_has_no_fault(bool full) => PackageIntegrity.Check(folder.Path, full).ShouldBeEmpty();

    [Fact]
    public void One_bit_in_any_file_that_makes_the_model_is_found()
    {
        foreach (var file in PackageIntegrity.Describe(folder.Path))
        {
            byte[] bytes = File.ReadAllBytes(folder.File(file.Name));
            bytes[bytes.Length / 2] ^= 1;
            File.WriteAllBytes(folder.File(file.Name), bytes);
            PackageIntegrity.Check(folder.Path, full: true).ShouldHaveSingleItem().ShouldContain(file.Name);
            bytes[bytes.Length / 2] ^= 1;
            File.WriteAllBytes(folder.File(file.Name), bytes);
        }

        PackageIntegrity.Check(folder.Path, full: true).ShouldBeEmpty();
    }

    [Fact]
    public void A_missing_and_a_shortened_file_are_both_named()
    {
        File.Delete(folder.File("tokenizer.json"));
        File.WriteAllBytes(folder.File("onnx/model.onnx_data"), File.ReadAllBytes(folder.File("onnx/model.onnx_data"))[..^1]);
        var faults = PackageIntegrity.Check(folder.Path);
        faults.Count.ShouldBe(2);
        faults[0].ShouldContain("model.onnx_data' has");
        faults[1].ShouldContain("tokenizer.json' is missing");
    }

    // The quick check must cost nothing where weights are large: it trusts their size, the full check does not.
    [Fact]
    public void A_large_file_is_read_by_the_full_check_only()
    {
        string large = folder.File("onnx/extra_data");
        using (var stream = File.Create(large)) stream.SetLength(PackageIntegrity.QuickBytes + 1);
        ModelPackage.Describe(folder.Path, TinyModels.Qwen3, new PackageDescription { Name = "tiny" });
        using (var stream = File.OpenWrite(large)) stream.WriteByte(1);
        PackageIntegrity.Check(folder.Path).ShouldBeEmpty();
        PackageIntegrity.Check(folder.Path, full: true).ShouldHaveSingleItem().ShouldContain("not the file that was exported");
    }

    [Fact]
    public void What_only_describes_the_model_may_change_and_what_every_loader_reads_may_not_appear()
    {
        File.AppendAllText(folder.File("README.md"), "Ours.");
        File.WriteAllText(folder.File("LICENSE"), "MIT");
        PackageIntegrity.Check(folder.Path, full: true).ShouldBeEmpty();
        File.Delete(folder.File("tokenizer_config.json"));
        ModelPackage.Describe(folder.Path, TinyModels.Qwen3, new PackageDescription { Name = "tiny" });
        File.WriteAllText(folder.File("tokenizer_config.json"), "{}");
        PackageIntegrity.Check(folder.Path).ShouldHaveSingleItem().ShouldContain("tokenizer_config.json' was not there");
    }

    [Fact]
    public void A_folder_that_others_made_is_not_judged()
    {
        File.Delete(folder.File("distill.json"));
        File.AppendAllText(folder.File("config.json"), " ");
        PackageIntegrity.Check(folder.Path, full: true).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("""{"files":3}""")]
    [InlineData("""{"files":{"config.json":{"sha256":"00"}}}""")]
    [InlineData("""{"files":{"../config.json":"00"}}""")]
    [InlineData("""{"files":{"/etc/hostname":"00"}}""")]
    public void A_damaged_or_hostile_description_is_a_fault(string description)
    {
        File.WriteAllText(folder.File("distill.json"), description);
        PackageIntegrity.Check(folder.Path).ShouldHaveSingleItem().ShouldContain("distill.json");
    }

    [Fact]
    public void Folders_that_recorded_digests_only_are_still_held_against_them()
    {
        string model = Path.Combine(RepositoryFolder.Root, "teacher", "models", "tiny-reasoner");
        var files = PackageProvenance.Read(model)!.Files;
        foreach (var file in files)
        {
            string copy = folder.File(file.Name);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(Path.Combine(model, file.Name), copy, overwrite: true);
        }

        string digests = string.Join(",", files.Select(file => $"\"{file.Name}\":\"{file.Sha256}\""));
        File.WriteAllText(folder.File("distill.json"), "{\"version\":1,\"files\":{" + digests + "}}");
        PackageProvenance.Read(folder.Path)!.Files.ShouldAllBe(file => file.Bytes == null);
        PackageIntegrity.Check(folder.Path, full: true).ShouldBeEmpty();
        File.WriteAllText(folder.File("distill.json"), """{"version":1,"files":{"config.json":"00"}}""");
        PackageIntegrity.Check(folder.Path).ShouldContain(fault => fault.Contains("config.json' is not the file"));
    }
}
