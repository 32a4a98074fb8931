/**
 * Commands that analysts know from elsewhere, so that a name that means nothing here is answered with what does. A line each:
 * name | systems | what it showed or did | commands that come nearest, the best first. Systems: W Windows, L Linux, D macOS, F file
 * systems, A the running system, * any. Which of the nearest is named depends on the image and on what this release has.
 *
 * Source of names and systems: Rekall at 55d1925 (Oct 2020), all 247 names; Volatility 3 2.28 and 2.6 where their names differ. The
 * sentences are ours.
 */

/** Rekall's commands. */
export const REKALL = `
address_resolver|WLDA|names to addresses and back|
aff4acquire|*|acquired memory and files into an AFF4 volume|
aff4dump|*|listed the statements of an AFF4 volume|
aff4export|*|wrote the streams of an AFF4 volume to files|
aff4ls|*|listed the streams of an AFF4 volume|
agent|*|polled a server for work on many machines|
agent_controller|*|controlled many agents|
allproc|D|processes of the list allproc|pslist
analyze_struct|W|guessed what lies at an address by pool tags, pointers and symbols|dump, address_resolver, pfn
api|*|the declarations of all commands, for other programs|info, describe
arp|LD|neighbour tables|
artifact_collector|A|collected named forensic artefacts|
artifact_list|A|listed forensic artefacts|
artifact_view|A|showed the definition of an artefact|
atoms|W|atom tables of sessions and window stations|
atomscan|W|atom tables, carved from pools|
banner|L|the kernel's banner|version_modules
bash|L|the history of bash, with times, from its heap|cmdscan, consoles
boot_cmdline|D|the kernel's command line|boot
build_index|*|built an index of profiles|
build_local_profile|*|fetched and converted the symbols of a module|convert_profile
callback_scan|W|kernel callbacks, carved from pools|callbacks, notifier_chains
callbacks|W|kernel callbacks by their symbols|notifier_chains, notifiers
cc|WLDAF|chose the process that commands work in|
certscan|W|certificates and keys in memory|
check_afinfo|L|function pointers of network protocols|
check_creds|L|processes that share one cred struct|pslist
check_idt|L|the interrupt descriptor table and who owns its handlers|ssdt
check_modules|L|modules that sysfs knows and the list does not|lsmod
check_pehooks|W|hooks in one mapped PE file|ldrmodules, impscan
check_proc_fops|L|file operations of entries of /proc|
check_syscall|L|the system call table and who owns its handlers|ssdt, check_syscalls
check_syscalls|D|the system call table and who owns its handlers|check_syscall, ssdt
check_task_fops|L|file operations of open files|lsof
check_trap_table|D|Mach traps and who owns their handlers|check_syscall
check_ttys|L|the receive functions of terminals|
clipboard|W|the clipboard|
cmdscan|W|the command history of consoles, carved|bash
collect|*|ran every producer of a type of struct and merged their rows|which_plugin
connections|W|TCP connections of XP|netscan, netstat
connscan|W|TCP connections of XP, carved from pools|netscan, netstat
consoles|W|consoles: screens, history, aliases|bash
consolescan|W|consoles, carved|consoles, bash
convert_profile|*|made a profile of symbol files|
cpuinfo|L|the processors|kpcr, machine_info
dead_fileprocs|D|open files, carved from their zone|lsof
dead_procs|D|processes, carved from their zone|pslist
dead_sessions|D|login sessions, carved from their zone|
dead_sockets|D|sockets, carved from their zone|netstat
dead_ttys|D|terminals, carved from their zone|
dead_vnodes|D|vnodes, carved from their zone|lsof
describe|*|the columns of a command, down into structs|
desktops|W|desktops with their windows and threads|
devicetree|W|drivers and the devices attached to them|
dis|*|disassembled with names beside|
dlldump|W|wrote the DLLs of processes to files|memdump
dlllist|W|the DLLs of processes by their loader's list|maps
dmesg|LD|the kernel's log|evtlogs
dns_cache|W|names in the DNS resolver's cache|
driverirp|W|the request handlers of drivers|
driverscan|W|drivers, carved from pools|driverirp, devicetree, modules, lsmod
dt|*|the members of a struct|
dtbscan|W|page tables by the frame database, of hidden processes too|find_dtb, psxview, pslist
dump|*|a hex dump with names beside|
dump_zone|D|every element of a zone|zones
dumpcompressedmemory|D|wrote the compressed pages to files|
dumpfiles|W|rebuilt files from the cache|mcat, dlldump, moddump, lsof
dwarfparser|*|made a profile of DWARF|
elf_sections|L|sections of an ELF file|peinfo
elf_versions_needed|L|symbol versions that an ELF file needs|
elf_versions_symbols|L|symbols of an ELF file with their versions|
eventhooks|W|event hooks of windows|
evtlogs|W|the event logs of XP|dmesg
ewfacquire|*|copied memory to an EWF (E01) file|
fetch_pdb|*|downloaded a PDB|
file_yara|A|searched files with YARA|
filescan|W|file objects, carved from pools|handles, vad, lsof
find|A|listed files of the live system|
find_dtb|WLD|found the kernel's page tables|
find_kaslr|LD|found how far the kernel was moved at boot|
fls|F|a folder of NTFS or another file system|mls
fstat|F|a file's record of NTFS|
gahti|W|types of USER handles|
getservicesids|W|the SIDs of services|tokens
glob|A|files of the live system by a pattern|
grep|*|searched memory for texts and bytes|
guess_guid|W|guessed the version of a module|version_scan, version_modules
handles|WD|open handles of processes|lsof
hash|A|hashed files of the live system|
hashdump|W|password hashes of XP|
heapdump|L|wrote the chunks of glibc heaps to files|
heapinfo|L|statistics of glibc heaps|inspect_heap
heapobjects|L|arenas and chunks of glibc heaps|inspect_heap
heaprefs|L|references between chunks of a glibc heap|show_referrer_alloc
heapsearch|L|searched glibc heaps for texts and pointers|
hexdump_file|A|a hex dump of files of the live system|
hivedump|W|every key of registry hives|
hives|W|registry hives|
hooks_eat|W|hooks in export tables|peinfo
hooks_iat|W|hooks in import tables|impscan, peinfo
hooks_inline|W|hooks in the first bytes of functions|ssdt, malfind
hostname|L|the machine's name|imageinfo
http_server|*|served agents|
idump|F|an attribute of NTFS as a hex dump|
iexport|F|wrote files of NTFS|
ifconfig|LD|network interfaces|
ils|F|a folder of NTFS by its record|
imagecopy|*|copied memory to a raw file|
imageinfo|W|build, times and page tables in short|banner, hostname, why
impscan|W|rebuilt imports from calls|
info|*|commands and parameters|
inspect_heap|W|heaps of processes|heapinfo
inspect_vaddr|*|an address through each stacked address space|vtop
iomem|L|physical address ranges and who claims them|phys_map
ip_filters|D|filters of IP packets and their handlers|
istat|F|a file's record of NTFS in full|
json_render|*|showed saved JSON output|
kdbgscan|W|the debugger's data block|find_kaslr, why
keepassx|L|entries of KeePassX from its heap|
kpcr|W|what each processor runs and its tables|cpuinfo
l|*|printed every element|
ldrmodules|W|DLLs mapped but missing from loader lists|maps
live|A|started on the running system|
load_as|*|built an address space|
load_plugin|*|added commands from a file|
load_profile|W|loaded the profile of a module|
lookup|*|a global variable as a type|
lsadump|W|secrets of LSA on XP|
lsmod|LD|kernel modules|modules
lsmod_parameters|L|parameters of kernel modules|
lsmod_sections|L|sections of kernel modules|
lsof|LDA|open files of processes|handles
machine_info|D|memory size, processors and versions|cpuinfo, imageinfo
malfind|W|memory that is private, writable and executable|maps
manage_repo|*|kept a repository of profiles|
maps|LDA|memory areas of processes|vad
mcat|L|a file's pages from the cache|dumpfiles, lsof
memdump|WLD|wrote the memory of processes to files|
memmap|WLD|the pages of processes|
messagehooks|W|message hooks of windows|
mfind|L|found a file in the dentry cache|mls, lsof
mftdump|W|records of NTFS in the file cache|mls
mimikatz|W|credentials from lsass|
miranda|W|messages of the chat client Miranda|
mls|L|files of a mounted file system from the dentry cache|mount, lsof
mmls|F|partitions of a disk|
moddump|WL|wrote kernel modules to files|lsmod
modscan|W|modules, carved from pools|modules, lsmod
modules|W|kernel modules|lsmod
moo|*|a cow that tried out the renderers|
mount|LD|mounted file systems|
mutantscan|W|mutexes, carved from pools|handles, object_tree
netscan|W|TCP and UDP endpoints, carved from pools|netstat
netstat|WLD|sockets with their owners|
notifier_chains|L|callbacks of notifier chains|callbacks
notifiers|D|handlers of I/O Kit notifications|notifier_chains
null|*|did nothing|
object_tree|W|the object manager's names|
object_types|W|types of kernel objects|
open_sockets|D|sockets by open files|netstat, lsof
osquery|A|ran a query of osquery|
p|*|printed a value|
pagefiles|W|page files|
parse_pdb|*|made a profile of a PDB|convert_profile
pas2vas|WLD|physical addresses to virtual ones|ptov
pedump|W|wrote a mapped PE file to a file|
peinfo|W|headers, imports and exports of a PE file|elf_sections
pfn|W|a record of the frame database|ptov
pgrphash|D|processes by the hash of process groups|pslist
phys_map|WD|ranges of physical memory|iomem
pidhash|D|processes by the hash of ids|pidhashtable, pslist
pidhashtable|L|processes by the hash of ids|pslist
pkt_queues|L|wrote packets that wait in queues to files|netstat
pool_tracker|W|use of pools by tag|
pools|W|pools and their ranges|
printkey|W|keys and values of the registry|
privileges|W|privileges in the tokens of processes|
procdump|W|wrote the executables of processes to files|memdump
procinfo|W|one process in full|psaux, environ, maps
psaux|LD|processes with their command lines|pslist
pslist|WLDA|processes|
psscan|W|processes, carved from pools|psxview, pslist
pstree|WLD|processes as a tree|
psxview|WLD|processes by several methods, compared|pslist
ptov|W|a physical address back to its owner|pas2vas
pypykatz|W|credentials from lsass by pypykatz|
raise_the_roof|*|raised an error, for tests|
rammap|W|what every physical page is used for|ptov
raw2dmp|W|wrote memory as a crash dump|
regdump|W|wrote registry hives to files|
route|D|the routing table|netstat
run|*|ran a script|
run_flow|*|ran a flow of an agent|
sdel|*|ended a session|
search|*|ran a query|
services|W|services by the registry|
session_api|*|the session's parameters, for other programs|info
sessions|WD|login sessions with their processes|
shell|*|opened the console|
shimcachemem|W|programs that were run, by the compatibility cache|
show_allocation|W|the heap allocation around an address|
show_referrer_alloc|W|allocations that point to an address|heaprefs
sigscan|WLD|searched for bytes with wildcards|grep
simple_certdump|W|certificates and keys of physical memory, written to files|
simple_certscan|W|certificates and keys of physical memory|
simple_yarascan|*|searched physical memory with YARA|yarascan, grep
slist|*|listed the sessions|
smod|*|changed a session's parameters|
snew|*|opened a further session|
sockets|W|sockets of XP|netscan, netstat
ssdt|W|the system call tables and who owns their handlers|check_syscall
sswitch|*|made another session current|
stat|A|facts about files of the live system|
svcscan|W|services by the memory of services.exe|
symlinkscan|W|symbolic links of the object manager, carved|object_tree
sysctl|D|the tree of sysctl with its handlers|
system_info|A|facts about the machine|
tasks|D|processes by the queue of tasks|pslist
terminals|D|terminals of login sessions|
thrdscan|W|threads, carved from pools|threads, psxview
threads|W|threads with their start addresses|
timers|W|kernel timers and who owns their routines|
times|W|the kernel's clocks|boot
tokens|W|SIDs in the tokens of processes|pslist
unloaded_modules|W|modules that were unloaded lately|lsmod
unp_sockets|D|sockets of the Unix domain|netstat
userassist|W|programs that users started|
userhandles|W|USER objects and their owners|
users|W|users by the registry|
vacbs|W|views of the file cache|rammap, ptov
vad|WA|memory areas of processes|maps
vaddump|WLDA|wrote the memory areas of processes to files|memdump
vadmap|WLD|the state of each page of memory areas|memmap
version_modules|W|the versions of modules|banner, lsmod
version_scan|W|versions of modules, by scanning|banner
virt_map|W|regions of the kernel's address space|
vmscan|*|found virtual machines inside of the image|
vtop|WLD|the way from a virtual to a physical address|
webconsole|*|a worksheet in the browser|
which_plugin|*|commands that have a type of struct in their rows|plugins
win32k_autodetect|W|worked out the layouts of win32k|
windows_stations|W|window stations|
wmi|A|ran a query of WMI|
yarascan|WLDA|searched memory with YARA|grep
yarascan_physical|W|searched physical memory with YARA, across pages|yarascan, grep
zones|D|zones of the kernel's allocator|
zsh|L|the history of zsh, with times, from its heap|bash
`;

/** Volatility's, without their prefixes (`windows.`, `linux.`, `mac.`, `linux_`, `mac_`), where Rekall has none of the name. */
export const VOLATILITY = `
addr|L|addresses of network interfaces|ifconfig
ads|W|alternate data streams of NTFS records|mftdump
amcache|W|programs that were run, by the Amcache hive|
apihooks|W|hooks in functions of processes and the kernel|hooks_inline, hooks_iat, ssdt, impscan
autoruns|W|what starts by itself|services
banners|L|kernel banners anywhere in the image|banner
bash_env|L|the environment of bash|environ
bash_hash|L|the hash table of bash|bash
bigpools|W|large pool allocations|pools
bioskbd|W|keys in the BIOS's buffer|
boottime|L|when the system was started|boot
cachedump|W|cached password hashes of the domain|hashdump
capabilities|L|capabilities of processes|pslist
certificates|W|certificates of the registry|certscan
check_fop|L|file operations that were replaced|check_proc_fops
check_inline_kernel|L|hooks in kernel functions|check_syscall
cmdline|W|command lines of processes|pslist, psaux
configwriter|*|wrote the configuration that was detected|why
crashinfo|W|the header of a crash dump|why
debugregisters|W|debug registers of threads|threads
dentry_cache|L|the dentry cache|mls, lsof
deskscan|W|desktops, carved|desktops
direct_system_calls|W|system calls made around ntdll|malfind
drivermodule|W|drivers that no module list has|driverscan, driverirp, modules
dump_map|L|wrote memory areas to files|vaddump, memdump
ebpf|L|eBPF programs|
elfs|L|ELF files in processes|maps
enumerate_files|L|files of the dentry cache|mls, lsof
envars|WL|environments of processes|environ
envvars|W|environments of processes|environ
etwpatch|W|patched functions of event tracing|
fbdev|L|the framebuffer as a picture|
find_file|L|found a file and wrote its pages|mfind, lsof
frameworkinfo|*|layers, renderers and parts|info
ftrace|L|functions hooked by ftrace|
getcellroutine|W|hooked routines of registry hives|
getsids|W|SIDs of processes|tokens, pslist
hidden_modules|L|kernel modules, carved|check_modules, lsmod
hivelist|W|registry hives|hives
hivescan|W|registry hives, carved|hives
hollowprocesses|W|processes whose image was replaced|ldrmodules, malfind
iat|W|import tables|hooks_iat, impscan, peinfo
idt|W|the interrupt descriptor table|check_idt
inodepages|L|pages of a file in the page cache|mcat
isfinfo|*|symbol files that are there|convert_profile
joblinks|W|jobs and their processes|object_tree
kallsyms|L|the kernel's symbols|address_resolver
kauth_listeners|D|listeners of authorisation|
kauth_scopes|D|scopes of authorisation|
kevents|D|event handlers of processes|
keyboard_notifiers|L|who is told of keys|notifier_chains
kmsg|L|the kernel's log|dmesg
kpcrs|W|what each processor runs|kpcr, cpuinfo
kpcrscan|W|what each processor runs, carved|kpcr, cpuinfo
kthreads|L|kernel threads|pslist
layerwriter|*|wrote memory to a raw file|imagecopy
library_list|L|libraries of processes|maps
link|L|network interfaces|ifconfig
list_files|D|the tree of vnodes|lsof
list_raw|L|raw sockets|netstat
mbrscan|W|boot records|
mftscan|W|records of NTFS|mftdump
module_extract|L|rebuilt a module's file|moddump
modxview|L|kernel modules by several methods, compared|lsmod
mountinfo|L|mounted file systems by name space|mount
netfilter|L|hooks of netfilter|
notepad|W|text of the editor|
orphan_kernel_threads|W|kernel threads in no module|threads, callbacks
pagecache|L|files of the page cache|mls, lsof
pe_symbols|W|symbols of PE files|address_resolver, peinfo
pebmasquerade|W|processes under another's name|ldrmodules, procinfo
perf_events|L|functions hooked by perf events|
poolscanner|W|objects by their pool tags|
pooltracker|W|use of pools by tag|pool_tracker
privs|W|privileges in the tokens of processes|privileges
proc_maps|LD|memory areas of processes|maps
process_ghosting|W|processes whose file was to be deleted|ldrmodules, vad
process_hollow|L|processes whose code was replaced|maps
process_spoofing|L|processes under another's name|psaux, cmdline
processghosting|W|processes whose file was to be deleted|ldrmodules, vad
procmaps|L|memory areas of processes|maps
pscallstack|L|the kernel stacks of tasks|threads
psdispscan|W|processes, carved by dispatcher headers|psscan, psxview, pslist
psenv|L|environments of processes|environ
pslist_cache|L|processes by the slab cache|pslist
pstotal|W|processes by several methods|psxview, pslist
ptrace|L|who traces whom|pslist
recoverfs|L|the file tree of the page cache|mls
regexscan|*|searched memory for a regular expression|grep
route_cache|L|cached routes|netstat
scheduled_tasks|W|scheduled tasks|
screenshot|W|windows as a picture|
skeleton_key_check|W|a patched lsass|malfind
slabinfo|L|slab caches|
socket_filters|D|filters of sockets|ip_filters
sockscan|WL|sockets, carved|netstat
sockstat|L|sockets of processes|netstat
statistics|W|how many pages are there|rammap, memmap
strings|*|whose memory a text stands in|ptov
suspended_threads|W|threads that were suspended|threads
suspicious_threads|W|threads that begin in strange memory|threads, malfind
svcdiff|W|services by two methods, compared|svcscan
svclist|W|services by their list|svcscan
timeliner|*|everything that has a time, in order|pslist, dmesg
tmpfs|L|files of memory file systems|mls, mount
tracepoints|L|functions hooked by trace points|
truecrypt|W|pass phrases of TrueCrypt|
trustedbsd|D|policies of TrustedBSD|
tty_check|L|the receive functions of terminals|check_ttys
unhooked_system_calls|W|copies of ntdll|ldrmodules
unloadedmodules|W|modules that were unloaded lately|unloaded_modules, lsmod
vadinfo|W|memory areas of processes|vad, maps
vadregexscan|W|searched memory areas for a regular expression|grep
vadtree|W|memory areas of processes as a tree|vad, maps
vadwalk|W|memory areas of processes|vad, maps
vadyarascan|W|searched memory areas with YARA|yarascan, grep
verinfo|W|versions of PE files|peinfo, version_modules
vfsevents|D|who watches the file system|
virtmap|W|regions of the kernel's address space|virt_map
vmaregexscan|L|searched memory areas for a regular expression|grep
vmayarascan|L|searched memory areas with YARA|yarascan, grep
vmcoreinfo|L|the kernel's notes for crash dumps|why
volshell|*|the console|shell
windows|W|windows of the desktops|desktops
windows.info|W|build, times and page tables in short|imageinfo, why
windowstations|W|window stations|windows_stations
wintree|W|windows as a tree|desktops
wndscan|W|window stations, carved|windows_stations
`;
