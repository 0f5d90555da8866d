namespace Distill.Data.Tests.Tokenization;

/// <summary>A folder with the files of <see cref="TinyTokenizer"/>, to be changed; gone when disposed.</summary>
internal sealed class TokenizerFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tokenizer");

    public TokenizerFolder() => TinyTokenizer.Trained.Save(_folder.FullName);

    public string Path => _folder.FullName;

    /// <param name="name">May lie in a sub-folder.</param>
    public void Write(string name, string content)
    {
        string path = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
