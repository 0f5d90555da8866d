using System.Security.Cryptography;
using System.Text;

namespace Distill.Service.Hosting;

/// <summary>
/// The key to act of a service that was given none: made at its first start, in a file that its user alone may read. Who can read the
/// file might as well write the schedules.
/// </summary>
internal static class OperatorKey
{
    public const string FileName = "operator.key";

    private const int Bytes = 24;

    private const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <param name="path">Of the file. Only one process makes it: the one that holds the folder.</param>
    /// <exception cref="IOException">It cannot be read or written.</exception>
    public static string OfFile(string path)
    {
        if (File.Exists(path))
        {
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, Own);
            string kept = File.ReadAllText(path).Trim();
            if (kept.Length >= ServiceOptions.ShortestKey) return kept;
        }

        string key = RandomNumberGenerator.GetHexString(2 * Bytes, lowercase: true), fresh = path + ".new";
        File.Delete(fresh);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = Own; // before there is anything to read
        using (var stream = new FileStream(fresh, options)) stream.Write(Encoding.UTF8.GetBytes(key + "\n"));
        File.Move(fresh, path, overwrite: true);
        return key;
    }
}
